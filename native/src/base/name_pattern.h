// Patterns of tensor names: * for any text, ? for a character, [a-z] and [!a-z] for one of some,
// a backslash before what is meant as it stands.
#pragma once

#include <string>

#include "base/status.h"

namespace efl {

// INVALID_ARGUMENT says what is wrong with a pattern.
Status CheckNamePattern(const std::string& pattern);

// Whether the whole name fits. The same whatever the process's locale is: both are UTF-8.
// `if_unknown`: what to say of a name that can't be compared, because it isn't text.
bool NameFits(const std::string& pattern, const std::string& name, bool if_unknown);

}  // namespace efl
