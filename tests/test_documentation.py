"""Links from the diagrams of estimators to the documentation."""

import inspect
from importlib import import_module

import pytest
from sklearn.base import BaseEstimator

from skfewaudio import LogMel, make_few_shot_classifier
from skfewaudio._documentation import ADDRESS_VARIABLE, find_address

ADDRESS = "https://docs.example.org/stable"
MODULES = ("augmentation", "classifiers", "detection", "features", "model_selection")


def public_estimators():
    for name in MODULES:
        module = import_module(f"skfewaudio.{name}")
        for public in sorted(module.__all__):
            found = getattr(module, public)
            if inspect.isclass(found) and issubclass(found, BaseEstimator) and not inspect.isabstract(found):
                yield found


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv(ADDRESS_VARIABLE, ADDRESS)


@pytest.mark.parametrize("estimator", list(public_estimators()), ids=lambda estimator: estimator.__name__)
def test_every_estimator_links_to_its_page(estimator, address):
    link = estimator.__new__(estimator)._get_doc_link()
    module = estimator.__module__.split("._")[0]
    assert link == f"{ADDRESS}/generated/{module}.{estimator.__name__}.html"


def test_diagram_of_a_pipeline_contains_the_links(address):
    diagram = make_few_shot_classifier()._repr_html_()
    assert f"{ADDRESS}/generated/skfewaudio.features.LogMel.html" in diagram


def test_diagram_has_no_link_without_an_address(monkeypatch):
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    monkeypatch.setattr("skfewaudio._documentation.find_address", lambda: "")
    assert LogMel()._get_doc_link() == ""


def test_address_comes_from_the_metadata_of_the_package(monkeypatch):
    from email.message import Message

    found = Message()
    found["Project-URL"] = f"Documentation, {ADDRESS}"
    monkeypatch.setattr("skfewaudio._documentation.metadata", lambda name: found)
    assert find_address.__wrapped__() == ADDRESS
