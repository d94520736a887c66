#include "format/filter_state_value.h"

#include <utility>

#include "net/address_text.h"

namespace sluice::format {

bool makes_addresses(std::string_view factory) {
  return factory == "envoy.network.transport_socket.original_dst_address";
}

void FilterStateValue::leave_in(FilterState& state, const Facts& facts) const {
  FilterState::Object made = object;
  text.append(made.text, facts);
  if (made.text.empty() && skip_if_empty) return;
  if (makes_addresses(made.factory) && !net::parse_address(made.text)) return;
  state.set(std::move(made));
}

}  // namespace sluice::format
