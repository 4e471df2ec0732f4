"""Network of `SoundEmbed`, trained on synthetic sounds, and its weights."""
