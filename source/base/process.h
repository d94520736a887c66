// Facts about this process and its machine that do not change while it runs.
#pragma once

#include <string>

namespace sluice {

// The machine's name; "-" when the system does not tell. Thread: any.
std::string hostname();

}  // namespace sluice
