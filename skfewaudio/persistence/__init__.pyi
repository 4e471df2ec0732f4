from ._card import read_card as read_card
from ._load import load_model as load_model
from ._save import save_model as save_model
