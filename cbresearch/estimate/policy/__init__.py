"""A policy that reached some communities earlier than others."""
