"""Shapes of requests and responses; the web application's types are generated from them."""
