"""The episode: maps, actors, commands, the frame loop. Knows no sockets."""
