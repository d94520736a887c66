// Text (YAML or JSON) -> protobuf messages, by reflection, the way Envoy reads its files, but with the place of every
// field and with all errors, not only the first.
//
//   text --yaml_nodes/json_nodes--> nodes --MessageReader--> message + SourceMap + Findings
//
// Names may be snake_case or lowerCamel; an Any is typed by its "@type" and its content kept typed in the SourceMap; a
// single value is taken where a list is wanted; null leaves a field alone. What a node must look like to fit a scalar
// is in reader_scalars.h, to fit the well-known types in well_known.h.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config_error.h"
#include "config/node.h"
#include "config/source_map.h"

namespace sluice::config {

enum class Format : uint8_t { Yaml, Json, Protobuf, ProtobufText };

// By the ending of the name: .yaml .yml, .pb, .pb_text; everything else is JSON, as in Envoy. Thread: any.
Format format_of(std::string_view file_name);

struct ReadOptions {
  // What becomes of names that a message does not have, and of enum names that do not exist: an error, or a note
  // (--allow-unknown-static-fields). Unknown types are always errors.
  enum class UnknownFields : uint8_t { Refuse, Note };
  UnknownFields unknown_fields = UnknownFields::Refuse;
};

// Reads `text` into `out`, which must outlive `map`. Reading into a message that already has content merges as protobuf
// does: lists grow, maps replace by key, empty scalars do not override. `file` is only a name, for errors. Returns
// whether no error was added to `findings`; after an error the message holds what could be read. Binary protobuf has no
// positions, text protobuf has only those of its errors. No exception leaves. Thread: any.
bool read_text(Format format, std::string_view text, const std::string& file, google::protobuf::Message& out,
               SourceMap& map, Findings& findings, const ReadOptions& options = {});

// The same for a file. Thread: main (it blocks).
bool read_file(const std::string& path, google::protobuf::Message& out, SourceMap& map, Findings& findings,
               const ReadOptions& options = {});

// Nodes that were parsed elsewhere -> message, at `out` under `path`; `out` must already be in the map. Positions and
// `file` are as the nodes have them. Thread: any.
bool read_nodes(const Node& node, google::protobuf::Message& out, std::string_view path, SourceMap& map,
                Findings& findings, const ReadOptions& options = {});

}  // namespace sluice::config
