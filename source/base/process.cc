#include "base/process.h"

#include <unistd.h>

namespace sluice {

std::string hostname() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "-";
}

}  // namespace sluice
