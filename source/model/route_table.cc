#include "model/route_table.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/strings.h"
#include "http/path.h"
#include "model/text_index.h"

namespace sluice::model {
namespace {

// The answer of virtual hosts that require TLS; it belongs to none of them.
const Route& tls_redirect() {
  static const Route& route = []() -> const Route& {
    auto* made = new Route();
    RedirectAction action;
    action.https = true;
    action.require_tls = true;
    made->action = std::move(action);
    return *made;
  }();
  return route;
}

bool wants_tls(const VirtualHost& host, const http::RequestHeaders& request) {
  if (host.require_tls == RequireTls::kNone || request.fields.get(http::Token::kXForwardedProto) == "https")
    return false;
  return host.require_tls == RequireTls::kAll || request.fields.get(http::Token::kXEnvoyInternal) != "true";
}

// The eight characters of a word in lower case. (Sums of seven bits each do not carry into the next byte.)
uint64_t lower_word(uint64_t word) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const uint64_t seven = word & (0x7f * kEach);
  const uint64_t from_a = seven + (0x80 - 'A') * kEach;
  const uint64_t above_z = seven + (0x7f - 'Z') * kEach;
  return word | ((from_a ^ above_z) & ~word & (0x80 * kEach)) >> 2;
}

// `text` in lower case, or reversed: in a buffer of the caller when it fits, else in the arena.
class Folded {
 public:
  Folded(std::string_view text, Arena& arena) : size_(text.size()), data_(room(arena)) {
    size_t at = 0;
    for (uint64_t word; at + sizeof(word) <= size_; at += sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      word = lower_word(word);
      std::memcpy(data_ + at, &word, sizeof(word));
    }
    std::transform(text.begin() + static_cast<ptrdiff_t>(at), text.end(), data_ + at, lower);
  }
  std::string_view view() const { return {data_, size_}; }
  void reverse() { std::reverse(data_, data_ + size_); }

 private:
  char* room(Arena& arena) { return size_ <= sizeof(space_) ? space_ : static_cast<char*>(arena.allocate(size_, 1)); }

  size_t size_;
  char space_[256];
  char* data_;
};

void name_stats(VirtualHost& host) {
  const auto text = [](std::string name) {
    std::replace(name.begin(), name.end(), ':', '_');
    return name;
  };
  for (Route& route : host.routes) {
    if (!route.stat_prefix.empty())
      route.stats = cat("vhost.", text(host.name), ".route.", text(route.stat_prefix), ".");
  }
  for (VirtualCluster& one : host.virtual_clusters) {
    one.stats = cat("vhost.", text(host.name), ".vcluster.", one.name.empty() ? "other" : text(one.name), ".");
  }
}

}  // namespace

// Keys are in lower case, suffixes reversed; values are indices into `hosts`.
struct RouteTable::Domains {
  TextIndex exact, suffixes, prefixes;
  const VirtualHost* any = nullptr;
  std::vector<std::unique_ptr<const std::string>> texts;  // what the keys view

  std::string_view keep(std::string text) {
    return *texts.emplace_back(std::make_unique<const std::string>(std::move(text)));
  }

  void add(std::string_view domain, uint32_t host) {
    std::string text = to_lower(domain);
    if (text.starts_with('*')) {
      std::reverse(text.begin(), text.end());
      text.pop_back();
      suffixes.add(keep(std::move(text)), host);
    } else if (text.ends_with('*')) {
      text.pop_back();
      prefixes.add(keep(std::move(text)), host);
    } else {
      exact.add(keep(std::move(text)), host);
    }
  }
};

RouteTable::RouteTable() = default;
RouteTable::~RouteTable() = default;

std::vector<RouteTable::DuplicateDomain> RouteTable::build() {
  auto domains = std::make_unique<Domains>();
  std::vector<DuplicateDomain> duplicates;
  std::unordered_map<std::string, const VirtualHost*> seen;
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    VirtualHost& host = *hosts[i];
    host.table = this;
    name_stats(host);
    for (Route& route : host.routes) route.host = &host;
    host.index.build(host.routes);
    for (size_t k = 0; k < host.domains.size(); ++k) {
      const auto [at, fresh] = seen.emplace(to_lower(host.domains[k]), &host);
      if (!fresh) {
        duplicates.push_back({&host, k, at->second});
      } else if (host.domains[k] == "*") {
        domains->any = &host;
      } else {
        domains->add(host.domains[k], i);
      }
    }
  }
  domains->exact.build();
  domains->suffixes.build();
  domains->prefixes.build();
  domains_ = std::move(domains);
  return duplicates;
}

const VirtualHost* RouteTable::find_host(const http::RequestHeaders& request) const {
  const Domains& domains = *domains_;
  if (domains.exact.empty() && domains.suffixes.empty() && domains.prefixes.empty() && vhost_header.empty()) {
    return domains.any;
  }
  std::string_view name = request.authority;
  if (!vhost_header.empty()) {
    name = request.get(vhost_header);
    if (name.data() == nullptr) return nullptr;
  }
  if (ignore_port_in_host_matching) name = http::split_host(name).host;

  Folded folded(name, request.fields.arena());
  if (const auto found = domains.exact.find(folded.view()); !found.empty()) return hosts[found[0]].get();
  // A wildcard stands for at least one character, hence the shorter lengths only; the last one visited is the longest.
  const VirtualHost* best = domains.any;
  const auto longest = [&](std::span<const uint32_t> found, size_t length) {
    if (length < name.size()) best = hosts[found[0]].get();
  };
  domains.prefixes.visit_prefixes(folded.view(), longest);
  if (!domains.suffixes.empty()) {
    folded.reverse();
    domains.suffixes.visit_prefixes(folded.view(), longest);
  }
  return best;
}

const VirtualCluster* VirtualHost::virtual_cluster(const http::RequestHeaders& request) const {
  for (const VirtualCluster& one : virtual_clusters) {
    if (std::all_of(one.headers.begin(), one.headers.end(),
                    [&](const http::HeaderMatcher& matcher) { return matcher.matches(request); })) {
      return &one;
    }
  }
  return nullptr;
}

RouteChoice RouteTable::find(const http::RequestHeaders& request, const MatchInputs& inputs) const {
  const VirtualHost* host = find_host(request);
  if (host == nullptr) return {};
  if (wants_tls(*host, request)) return {host, &tls_redirect()};

  const http::Target target = http::split_target(request.path);
  const std::string_view path =
      ignore_path_parameters ? http::without_parameters(target.path, request.fields.arena()) : target.path;
  const auto matches = [&](uint32_t i) { return host->routes[i].match.matches(request, path, target.query, inputs); };
  const auto size = static_cast<uint32_t>(host->routes.size());
  if (host->tree != nullptr) {
    format::Facts facts;
    facts.request = &request;
    if (const auto* list = static_cast<const RouteList*>(host->tree->find(facts))) {
      for (const uint32_t route : list->routes) {
        if (matches(route)) return {host, &host->routes[route]};
      }
    }
    return {host, nullptr};
  }
  const uint32_t found = host->index.first(path, size, matches);
  return {host, found < size ? &host->routes[found] : nullptr};
}

}  // namespace sluice::model
