"""Backends that run pre-trained networks for :class:`skfewaudio.features.PretrainedEmbed`, one per file."""
