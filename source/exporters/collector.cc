#include "exporters/collector.h"

namespace sluice::exporters {

void add_fields(const Collector& collector, const event::Loop& loop, http::HeaderMap& fields) {
  for (const auto& [name, value] : collector.fields) fields.add(name, value);
  if (collector.computed.empty()) return;
  format::Facts facts;
  facts.start_wall = loop.wall_now();
  facts.start = loop.now();
  for (const auto& [name, value] : collector.computed) fields.add_copy(name, value.format(facts));
}

}  // namespace sluice::exporters
