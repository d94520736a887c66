#include "tools/control_plane/status.h"

#include <string_view>

#include "base/strings.h"

namespace sluice::control_plane {
namespace {

std::string_view answer_of(const Stream::State& state) {
  return !state.error.empty() ? "NACK" : state.waiting ? "sent" : state.sent_version.empty() ? "asked" : "ACK";
}

std::string_view way_of(const Stream& stream) { return stream.protocol() == Protocol::kDelta ? "delta" : "sotw"; }

// f(type, state) for each type that the client asked for.
template <typename F>
void for_each_asked(const Stream& stream, const F& f) {
  for (size_t i = 0; i < xds::kResourceTypes; ++i) {
    const auto type = static_cast<ResourceType>(i);
    if (stream.state(type).asked) {
      f(xds::names_of(type).acronym, stream.state(type));
    }
  }
}

std::string counts_of(const Snapshot& snapshot) {
  std::string out;
  for (size_t i = 0; i < xds::kResourceTypes; ++i) {
    if (!snapshot.resources[i].empty()) {
      append(out, " ", xds::names_of(static_cast<ResourceType>(i)).acronym, " ", snapshot.resources[i].size());
    }
  }
  return out.empty() ? " nothing" : out;
}

std::string counts_json(const Snapshot& snapshot) {
  std::string out = "{";
  for (size_t i = 0; i < xds::kResourceTypes; ++i) {
    append(out, i == 0 ? "" : ",", json_quote(xds::names_of(static_cast<ResourceType>(i)).acronym),
           ":{\"version\":", json_quote(snapshot.versions[i]), ",\"resources\":", snapshot.resources[i].size(), "}");
  }
  return out + "}";
}

}  // namespace

std::string status_text(const Reading& reading, const Clients& clients) {
  std::string out = cat("directory  ", reading.directory, ": ", reading.files, " files, ", reading.taken,
                        " readings taken, ", reading.refused, " refused\n");
  if (!reading.errors.empty()) {
    append(out, "refused    ");
    for (const char c : reading.errors) {
      append(out, c == '\n' ? "\n           " : std::string_view(&c, 1));
    }
    append(out, "\n");
  }
  append(out, "everybody ", counts_of(*clients.world().everybody), "\n");
  for (const auto& [folder, snapshot] : clients.world().folders) {
    append(out, folder, "/ ", counts_of(*snapshot), "\n");
  }
  for (const auto& [number, client] : clients.all()) {
    const Stream& stream = client.stream;
    append(out, "\nclient ", number, "  ", client.address, "  ", stream.aggregated() ? "ads " : "", way_of(stream));
    if (stream.node()) {
      append(out, "  node '", stream.node()->id, "', cluster '", stream.node()->cluster, "'");
    }
    append(out, "\n");
    for_each_asked(stream, [&out](std::string_view acronym, const Stream::State& state) {
      append(out, "  ", acronym, "  ", answer_of(state), "  sent ",
             state.sent_version.empty() ? "nothing" : std::string_view(state.sent_version), ", acknowledged ",
             state.acked_version.empty() ? "nothing" : std::string_view(state.acked_version), ", ", state.nacks,
             " refused\n");
      if (!state.error.empty()) {
        append(out, "       ", state.error, "\n");
      }
    });
  }
  return out;
}

std::string status_json(const Reading& reading, const Clients& clients) {
  std::string out =
      cat("{\"directory\":", json_quote(reading.directory), ",\"files\":", reading.files, ",\"taken\":", reading.taken,
          ",\"refused\":", reading.refused, ",\"errors\":", json_quote(reading.errors),
          ",\"everybody\":", counts_json(*clients.world().everybody), ",\"folders\":{");
  const char* comma = "";
  for (const auto& [folder, snapshot] : clients.world().folders) {
    append(out, comma, json_quote(folder), ":", counts_json(*snapshot));
    comma = ",";
  }
  append(out, "},\"clients\":[");
  comma = "";
  for (const auto& [number, client] : clients.all()) {
    const Stream& stream = client.stream;
    const Request::Node node = stream.node().value_or(Request::Node());
    append(out, comma, "{\"number\":", number, ",\"address\":", json_quote(client.address),
           ",\"protocol\":", json_quote(way_of(stream)), ",\"aggregated\":", stream.aggregated() ? "true" : "false",
           ",\"node\":", json_quote(node.id), ",\"cluster\":", json_quote(node.cluster),
           ",\"agent\":", json_quote(node.agent), ",\"in_force\":", stream.in_force() ? "true" : "false",
           ",\"types\":{");
    comma = "";
    for_each_asked(stream, [&](std::string_view acronym, const Stream::State& state) {
      append(out, comma, json_quote(acronym), ":{\"answer\":", json_quote(answer_of(state)),
             ",\"sent\":", json_quote(state.sent_version), ",\"acknowledged\":", json_quote(state.acked_version),
             ",\"nacks\":", state.nacks, ",\"error\":", json_quote(state.error),
             ",\"wildcard\":", state.wildcard ? "true" : "false", ",\"names\":", state.names.size(), "}");
      comma = ",";
    });
    append(out, "}}");
    comma = ",";
  }
  return out + "]}\n";
}

}  // namespace sluice::control_plane
