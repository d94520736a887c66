#include "net/internal_upstream.h"

#include <utility>

#include "base/check.h"

namespace sluice::net {

InternalUpstreamSocket::InternalUpstreamSocket(const std::vector<MetadataSource>& sources,
                                               std::unique_ptr<TransportSocket> inside, const TransportScope& scope,
                                               std::string_view stat_prefix)
    : sources_(sources),
      inside_(std::move(inside)),
      registry_(scope.registry),
      id_(scope.registry.add_block<InternalUpstreamStat>(stat_prefix)),
      block_(scope.cells.block<InternalUpstreamStat>(id_)) {}

InternalUpstreamSocket::~InternalUpstreamSocket() { registry_.release_block(id_); }

// Of upstreams only.
std::unique_ptr<Transport> InternalUpstreamSocket::accept(std::unique_ptr<Transport> inner, Duration,
                                                          Function<void()>) {
  SLUICE_CHECK(false);
  return inner;
}

std::unique_ptr<Transport> InternalUpstreamSocket::connect(std::unique_ptr<Transport> inner,
                                                           const TransportWishes* wishes) {
  return inside_ == nullptr ? std::move(inner) : inside_->connect(std::move(inner), wishes);
}

void InternalUpstreamSocket::pass(InternalConnection& connection, const Metadata* host, const Metadata* cluster) {
  Passed passed;
  for (const MetadataSource& source : sources_) {
    const Metadata* metadata = source.of == MetadataSource::Of::kHost ? host : cluster;
    const Value* space = metadata == nullptr ? nullptr : metadata->find(source.space);
    if (space == nullptr || space->as_map() == nullptr) {
      block_.inc(InternalUpstreamStat::kNoMetadata);
      continue;
    }
    passed.metadata.space(source.space) = *space->as_map();
  }
  connection.pass(std::move(passed));
}

std::unique_ptr<TransportSocket> InternalUpstreamPlan::on_worker(const TransportScope& scope,
                                                                 std::string_view stat_prefix) const {
  return std::make_unique<InternalUpstreamSocket>(
      sources_, inside_ == nullptr ? nullptr : inside_->on_worker(scope, stat_prefix), scope, stat_prefix);
}

}  // namespace sluice::net
