"""Where the readings are."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
