"""What people read: the designed terminal pages and LaTeX. Computes nothing."""
