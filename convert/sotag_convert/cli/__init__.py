"""The commands of the workstation side: ``train``, ``convert``, ``evaluate``."""
