"""What libxml2 says when it gives up."""

import lxml.etree


def ran_out_of_memory(error: Exception) -> bool:
    """Tell whether a document was too large; libxml2 calls that an error of its syntax, too."""
    if isinstance(error, MemoryError):
        return True
    no_memory = lxml.etree.ErrorTypes.ERR_NO_MEMORY
    return isinstance(error, lxml.etree.XMLSyntaxError) and error.code == no_memory
