"""What people and programs read: results of tagging, progress of training. The only package that touches rich."""
