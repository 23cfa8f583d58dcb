"""Learning the weights of joint inference from trees with gold answers."""
