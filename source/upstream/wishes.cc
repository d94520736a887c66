#include "upstream/wishes.h"

#include <string>
#include <string_view>

#include "base/strings.h"
#include "net/address.h"

namespace sluice::upstream {

namespace {

// "a.test:443" and "[::1]:443" without port and brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

}  // namespace

net::TransportWishes wishes_of(const model::ClusterPlan& plan, const http::RequestHeaders& headers, uint64_t client) {
  net::TransportWishes out;
  if (!has_wishes(plan)) {
    return out;
  }
  if (plan.pool_per_downstream) {
    out.of_client = client;
  }
  std::string_view from = headers.authority;
  if (plan.auto_sni_header) {
    if (const std::string_view other = headers.fields.get(*plan.auto_sni_header); !other.empty()) {
      from = other;
    }
  }
  const std::string_view host = host_of(from);
  if (host.empty()) {
    return out;
  }
  // An address is no server name, but a certificate may be for it.
  if (plan.auto_sni && !net::Address::from_ip(std::string(host), 0)) {
    out.server_name = host;
  }
  if (plan.auto_san_validation) {
    out.verify_names.emplace_back(to_lower(host));
  }
  return out;
}

Pool& pool_for(Cluster& cluster, Host& host, uint8_t priority, const http::RequestHeaders& headers, uint64_t client) {
  const PoolKind kind = cluster.kind_for(priority, headers.protocol);
  return has_wishes(cluster.plan()) ? cluster.pool(host, kind, wishes_of(cluster.plan(), headers, client))
                                    : cluster.pool(host, kind);
}

}  // namespace sluice::upstream
