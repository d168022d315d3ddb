"""Networks: trunk (frozen or trained), heads, text tower."""
