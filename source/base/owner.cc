#include "base/owner.h"

#include <algorithm>
#include <mutex>

namespace sluice {

namespace {
struct Register {
  std::mutex mutex;
  std::vector<const Owner*> owners;
};
Register& owners() {
  static auto* instance = new Register;  // never destroyed: owners of static life may outlive it otherwise
  return *instance;
}
}  // namespace

Owner::Owner(const char* name) : name_(name) {
  std::lock_guard lock(owners().mutex);
  owners().owners.push_back(this);
}

Owner::~Owner() {
  std::lock_guard lock(owners().mutex);
  std::erase(owners().owners, this);
}

std::vector<Owner::Account> Owner::accounts() {
  std::lock_guard lock(owners().mutex);
  std::vector<Account> out;
  for (const Owner* owner : owners().owners) {
    out.push_back({owner->name(), owner->bytes()});
  }
  return out;
}

}  // namespace sluice
