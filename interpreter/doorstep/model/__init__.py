"""What the parts of Doorstep agree on: the grammar of definitions, definitions read, resources.

grammar, state_types  which fields there are, as tables
definition            a definition as a typed tree
resource              a Task's Resource taken apart
"""
