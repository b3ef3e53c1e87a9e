"""Centre: several films side by side, one of them active; linked looks and the prior film."""
