#include "net/tls/groups.h"

#include <openssl/err.h>

#include <algorithm>
#include <string_view>

#include "base/strings.h"
#include "net/tls/openssl.h"

namespace sluice::net::tls {

namespace {

// The names of a group: that of the standards, and what else Envoy takes for it.
struct Group {
  std::string_view name, other;
};

constexpr Group kGroups[] = {{"X25519", "x25519"},   {"P-256", "prime256v1"}, {"P-384", "secp384r1"},
                             {"P-521", "secp521r1"}, {"X25519MLKEM768", {}},  {"MLKEM1024", {}}};

const Group* find_group(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kGroups), std::end(kGroups),
                                         [name](const Group& g) { return name == g.name || name == g.other; });
  return name.empty() || found == std::end(kGroups) ? nullptr : found;
}

bool is_here(const Group& group) {
  const SslCtxPtr probe(SSL_CTX_new(TLS_method()));
  const bool here = SSL_CTX_set1_groups_list(probe.get(), std::string(group.name).c_str()) == 1;
  ERR_clear_error();
  return here;
}

}  // namespace

Result<Groups> read_groups(std::span<const std::string> names) {
  Groups out;
  if (names.empty() || (names.size() == 1 && names.front().empty())) return out;
  std::vector<const Group*> seen;
  for (const std::string& part : names) {
    for (const std::string_view name : split(part, ':')) {
      const Group* const group = find_group(name);
      if (group == nullptr) return Error{cat("failed to initialize ECDH curves: there is no '", name, "'")};
      if (std::find(seen.begin(), seen.end(), group) != seen.end()) {
        return Error{cat("failed to initialize ECDH curves: '", name, "' stands twice")};
      }
      seen.push_back(group);
      (is_here(*group) ? out.here : out.lacking).emplace_back(group->name);
    }
  }
  return out;
}

}  // namespace sluice::net::tls
