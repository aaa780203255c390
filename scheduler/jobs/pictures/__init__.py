"""Thumbnails: pictures made smaller (`shrinking`), the pictures' folders (`folders`), and the
thumbnails' folder (`thumbnail_folder`).
"""
