"""HOW MANY zeros and critical points a network has: systems, engines, certified roots."""
