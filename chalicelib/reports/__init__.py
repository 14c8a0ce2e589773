"""What people read of their business as a whole: figures over time. Everything is read here, nothing is decided."""
