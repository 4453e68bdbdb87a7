"""The commands that start something or show it, one a module: their options, help and exit statuses."""
