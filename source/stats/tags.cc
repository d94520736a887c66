#include "stats/tags.h"

#include <algorithm>
#include <span>

#include "base/strings.h"

namespace sluice::stats {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ---- Envoy's default tags. Most are patterns of dotted tokens: $ is the value, * any one token, ** any number of them
// (at the end: at least one). A value that itself contains a dot breaks the pattern, as it does in Envoy.

struct Pattern {
  std::string_view tag;
  std::string_view tokens;
};
constexpr Pattern kPatterns[] = {
    {"envoy.mongo_callsite", "mongo.*.collection.*.callsite.$.query.**"},
    {"envoy.dynamo_table", "http.*.dynamodb.table.$.**"},
    {"envoy.dynamo_table", "http.*.dynamodb.error.$.**"},
    {"envoy.mongo_collection", "mongo.*.collection.$.**.query.*"},
    {"envoy.mongo_cmd", "mongo.*.cmd.$.**"},
    {"envoy.grpc_bridge_method", "cluster.*.grpc.*.$.**"},
    {"envoy.http_user_agent", "http.*.user_agent.$.**"},
    {"envoy.virtual_cluster", "vhost.*.vcluster.$.**"},
    {"envoy.fault_downstream_cluster", "http.*.fault.$.**"},
    {"envoy.grpc_bridge_service", "cluster.*.grpc.$.**"},
    {"envoy.tcp_prefix", "tcp.$.**"},
    {"envoy.udp_prefix", "udp.$.**"},
    {"envoy.clientssl_prefix", "auth.clientssl.$.**"},
    {"envoy.ratelimit_prefix", "ratelimit.$.**"},
    {"envoy.rbac_http_prefix", "http.*.rbac.$.*"},
    {"envoy.cluster_name", "cluster.$.**"},
    {"envoy.http_conn_manager_prefix", "http.$.**"},
    {"envoy.virtual_host", "vhost.$.**"},
    {"envoy.route", "vhost.*.route.$.**"},
    {"envoy.mongo_prefix", "mongo.$.**"},
    {"envoy.thrift_prefix", "thrift.$.**"},
    {"envoy.redis_prefix", "redis.$.**"},
    {"envoy.local_http_ratelimit_prefix", "$.http_local_rate_limit.**"},
    {"envoy.local_network_ratelimit_prefix", "local_rate_limit.$.**"},
    {"envoy.local_listener_ratelimit_prefix", "listener_local_ratelimit.$.**"},
    {"envoy.dns_filter_prefix", "dns_filter.$.**"},
    {"envoy.connection_limit_prefix", "connection_limit.$.**"},
    {"envoy.rbac_prefix", "$.rbac.*"},
    {"envoy.google_grpc_client_prefix", "cluster.*.grpc.$.**"},
    {"envoy.google_grpc_client_prefix", "grpc.$.**"},
};

bool tokens_match(std::span<const std::string_view> pattern, std::span<const std::string_view> name, size_t& value,
                  size_t at) {
  if (pattern.empty()) {
    return name.empty();
  }
  if (pattern[0] == "**") {
    const bool last = pattern.size() == 1;
    for (size_t skip = last ? 1 : 0; skip <= name.size(); ++skip) {
      if (tokens_match(pattern.subspan(1), name.subspan(skip), value, at + skip)) {
        return true;
      }
    }
    return false;
  }
  if (name.empty() || (pattern[0] != "$" && pattern[0] != "*" && pattern[0] != name[0])) {
    return false;
  }
  if (pattern[0] == "$") {
    value = at;
  }
  return tokens_match(pattern.subspan(1), name.subspan(1), value, at + 1);
}

// The value's token and the dot behind it.
TagMatch match_tokens(std::string_view pattern, std::string_view name) {
  const size_t fixed = pattern.find_first_of("$*");
  if (!name.starts_with(pattern.substr(0, fixed))) {
    return {};
  }
  const auto parts = split(name, '.');
  size_t value = 0;
  if (!tokens_match(split(pattern, '.'), parts, value, 0)) {
    return {};
  }
  const auto start = static_cast<size_t>(parts[value].data() - name.data());
  return {start, parts[value].size() + 1, parts[value]};
}

// Length of a listener's address at the start: "127.0.0.1_80", "[__1]_80", or the first token of a stat_prefix.
size_t address_length(std::string_view name) {
  size_t numbers = 0;
  size_t at = 0;
  while (at < name.size() && (is_digit(name[at]) || name[at] == '.')) {
    numbers += name[at] == '.' ? 1 : 0;
    ++at;
  }
  if (numbers == 3 && at < name.size() && name[at] == '_') {
    const size_t end = name.find('.', at);
    return end == std::string_view::npos ? 0 : end;
  }
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? 0 : dot;
}

// upstream_rq_200: cuts "_200".
TagMatch response_code(std::string_view name) {
  const size_t n = name.size();
  const bool found = n > 7 && name.substr(n - 7, 4) == "_rq_" && std::all_of(name.end() - 3, name.end(), is_digit);
  return found ? TagMatch{n - 4, 4, name.substr(n - 3)} : TagMatch{};
}

// upstream_rq_2xx: cuts "2".
TagMatch response_code_class(std::string_view name) {
  const size_t n = name.size();
  const bool found = n > 7 && name.substr(n - 7, 4) == "_rq_" && is_digit(name[n - 3]) && name.ends_with("xx");
  return found ? TagMatch{n - 3, 1, name.substr(n - 3, 1)} : TagMatch{};
}

constexpr std::string_view kListener = "listener.";

TagMatch listener_address(std::string_view name) {
  if (!name.starts_with(kListener) || name.starts_with("listener.admin.")) {
    return {};
  }
  const size_t length = address_length(name.substr(kListener.size()));
  return length == 0 ? TagMatch{} : TagMatch{kListener.size(), length + 1, name.substr(kListener.size(), length)};
}

// Where the part behind a listener's address begins; 0: this is no stat of a listener.
size_t behind_address(std::string_view name) {
  const size_t length = name.starts_with(kListener) ? address_length(name.substr(kListener.size())) : 0;
  return length == 0 ? 0 : kListener.size() + length + 1;
}

// listener.ADDRESS.worker_0.x, server.worker_0.x: cuts "_0".
TagMatch worker_id(std::string_view name) {
  size_t at = behind_address(name);
  for (const std::string_view prefix : {"server.", "thread_local_cluster_manager.", "listener_manager."}) {
    if (name.starts_with(prefix)) {
      at = prefix.size();
    }
  }
  constexpr std::string_view kWorker = "worker_";
  if (at == 0 || !name.substr(at).starts_with(kWorker)) {
    return {};
  }
  const size_t digits = at + kWorker.size();
  size_t end = digits;
  while (end < name.size() && is_digit(name[end])) {
    ++end;
  }
  const bool found = end > digits && end < name.size() && name[end] == '.';
  return found ? TagMatch{digits - 1, end - digits + 1, name.substr(digits, end - digits)} : TagMatch{};
}

// listener.ADDRESS.http.PREFIX.x
TagMatch listener_http_prefix(std::string_view name) {
  const size_t at = behind_address(name);
  constexpr std::string_view kHttp = "http.";
  if (at == 0 || !name.substr(at).starts_with(kHttp)) {
    return {};
  }
  const size_t start = at + kHttp.size();
  const size_t end = name.find('.', start);
  return end == std::string_view::npos ? TagMatch{} : TagMatch{start, end - start + 1, name.substr(start, end - start)};
}

// A last token behind `word`, with the dot before it: listener.ADDRESS.ssl.versions.TLSv1.2.
TagMatch last_behind(std::string_view prefix, std::string_view word, std::string_view name) {
  const size_t at = name.starts_with(prefix) ? name.find(word) : std::string_view::npos;
  if (at == std::string_view::npos) {
    return {};
  }
  const size_t start = at + word.size();
  return start == name.size() ? TagMatch{} : TagMatch{start - 1, name.size() - start + 1, name.substr(start)};
}

// A name that may contain dots itself, between `word` and the last token: http.PREFIX.rds.ROUTE.CONFIG.config_reload.
TagMatch between(std::string_view prefix, std::string_view word, std::string_view name) {
  const size_t at = name.starts_with(prefix) ? name.find(word) : std::string_view::npos;
  const size_t last = name.rfind('.');
  if (at == std::string_view::npos || last < at + word.size()) {
    return {};
  }
  const size_t start = at + word.size();
  return {start, last - start + 1, name.substr(start, last - start)};
}

// cluster.NAME.health_check.name.CHECK.x: cuts ".name.CHECK".
TagMatch health_check_name(std::string_view name) {
  constexpr std::string_view kCluster = "cluster.";
  constexpr std::string_view kWord = ".health_check.name.";
  const size_t cluster_end = name.starts_with(kCluster) ? name.find('.', kCluster.size()) : std::string_view::npos;
  if (cluster_end == std::string_view::npos || !name.substr(cluster_end).starts_with(kWord)) {
    return {};
  }
  const size_t start = cluster_end + kWord.size();
  const size_t end = name.find('.', start);
  const bool found = end != std::string_view::npos && end > start && end + 1 < name.size();
  constexpr size_t kCut = std::string_view(".name.").size();
  return found ? TagMatch{start - kCut, end - start + kCut, name.substr(start, end - start)} : TagMatch{};
}

using Find = TagMatch (*)(std::string_view name);
struct Special {
  std::string_view tag;
  Find find;
  TagRule::Place place = TagRule::Place::kBehindToken;
};
// Before the patterns, in Envoy's order.
constexpr Special kFirst[] = {
    {"envoy.response_code", response_code, TagRule::Place::kAnywhere},
    {"envoy.response_code_class", response_code_class, TagRule::Place::kAnywhere},
    {"envoy.ssl_cipher", [](std::string_view name) { return last_behind("listener.", ".ssl.ciphers.", name); }},
    {"envoy.ssl_curve", [](std::string_view name) { return last_behind("listener.", ".ssl.curves.", name); }},
    {"envoy.ssl_sigalg", [](std::string_view name) { return last_behind("listener.", ".ssl.sigalgs.", name); }},
    {"envoy.ssl_version", [](std::string_view name) { return last_behind("listener.", ".ssl.versions.", name); }},
    {"envoy.ssl_cipher_suite", [](std::string_view name) { return last_behind("cluster.", ".ssl.ciphers.", name); }},
    {"envoy.rds_route_config", [](std::string_view name) { return between("http.", ".rds.", name); }},
    {"envoy.scoped_rds_config", [](std::string_view name) { return between("http.", ".scoped_rds.", name); }},
    {"envoy.worker_id", worker_id},
    {"envoy.health_check_name", health_check_name},
    {"envoy.http_conn_manager_prefix", listener_http_prefix},
};
constexpr Special kLast[] = {{"envoy.listener_address", listener_address}};

template <typename Wanted>
std::vector<TagRule> defaults(Wanted&& wanted) {
  std::vector<TagRule> out;
  const auto add_special = [&](const Special& special) {
    if (wanted(special.tag)) {
      out.push_back({std::string(special.tag), special.place, special.find});
    }
  };
  std::for_each(std::begin(kFirst), std::end(kFirst), add_special);
  for (const Pattern& pattern : kPatterns) {
    if (wanted(pattern.tag)) {
      const bool anywhere = pattern.tokens.front() == '$';
      out.push_back({std::string(pattern.tag), anywhere ? TagRule::Place::kAnywhere : TagRule::Place::kBehindToken,
                     [tokens = pattern.tokens](std::string_view name) { return match_tokens(tokens, name); }});
    }
  }
  std::for_each(std::begin(kLast), std::end(kLast), add_special);
  return out;
}

}  // namespace

TagExtractor::TagExtractor(std::vector<TagRule> rules) : rules_(std::move(rules)) {
  std::stable_sort(rules_.begin(), rules_.end(), [](const TagRule& a, const TagRule& b) { return a.place < b.place; });
}

std::vector<TagRule> TagExtractor::default_rules() {
  return defaults([](std::string_view) { return true; });
}

std::vector<TagRule> TagExtractor::default_rules(std::string_view tag) {
  return defaults([tag](std::string_view other) { return other == tag; });
}

Tagged TagExtractor::extract(std::string_view name) {
  Tagged out;
  std::vector<std::pair<size_t, size_t>> cuts;
  for (TagRule& rule : rules_) {
    const TagMatch match = rule.find(name);
    const auto known = [&](const auto& tag) { return tag.first == rule.tag; };
    if (match.value.data() == nullptr || std::any_of(out.tags.begin(), out.tags.end(), known)) {
      continue;
    }
    out.tags.emplace_back(rule.tag, match.value);
    cuts.emplace_back(match.cut_at, match.cut_at + match.cut);
  }
  std::sort(cuts.begin(), cuts.end());
  size_t at = 0;
  for (const auto& [from, until] : cuts) {
    if (from > at) {
      out.name += name.substr(at, from - at);
    }
    at = std::max(at, until);
  }
  out.name += name.substr(std::min(at, name.size()));
  return out;
}

}  // namespace sluice::stats
