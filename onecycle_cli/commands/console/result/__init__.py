"""How a result looks: tables that fit the window, colours, a small curve, and what comes next."""
