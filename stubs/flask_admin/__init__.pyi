"""The part of Flask-Admin 2.2 that the console uses, typed: the package has no types of its own."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask
from flask_admin.theme import Theme

_View = TypeVar("_View", bound=Callable[..., Any])

def expose(
    url: str = "/", methods: Iterable[str] | None = ("GET",)
) -> Callable[[_View], _View]: ...

class BaseView:
    name: str
    endpoint: str
    url: str | None
    admin: Admin
    def __init__(
        self,
        name: str | None = None,
        category: str | None = None,
        endpoint: str | None = None,
        url: str | None = None,
        static_folder: str | None = None,
        static_url_path: str | None = None,
        menu_class_name: str | None = None,
        menu_icon_type: str | None = None,
        menu_icon_value: str | None = None,
    ) -> None: ...
    def render(self, template: str, **kwargs: Any) -> str: ...

class Admin:
    def __init__(
        self,
        app: Flask | None = None,
        name: str | None = None,
        url: str | None = None,
        subdomain: str | None = None,
        index_view: BaseView | None = None,
        translations_path: str | None = None,
        endpoint: str | None = None,
        static_url_path: str | None = None,
        theme: Theme | None = None,
        category_icon_classes: dict[str, str] | None = None,
        host: str | None = None,
        csp_nonce_generator: Callable[[], Any] | None = None,
    ) -> None: ...
    def add_view(self, view: BaseView) -> None: ...
    def menu(self) -> list[Any]: ...
