"""The real servers: a component is data, a supervisor cares for its process."""
