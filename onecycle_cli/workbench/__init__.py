"""Data and one compiled model that can be rewound; its losses, its scores and its costs."""
