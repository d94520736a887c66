// What is wrong (or noteworthy) in a configuration, and where: file:line:col: field.path: text.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::config {

// A place in a text. Lines and columns count from 1; 0 means unknown. `file` is an index into SourceMap's files.
struct Position {
  // Where thousands are kept a column has 25 bits; what is further to the right is said to stand at the last one.
  static constexpr uint32_t kColumnBits = 25;
  static constexpr uint32_t kLastColumn = (1u << kColumnBits) - 1;

  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t file = 0;

  bool known() const { return line != 0; }
  friend bool operator==(const Position&, const Position&) = default;
};

// One thing that is wrong. `field` is the path from the root of the file (static_resources.clusters[0].name), empty
// when the text is about the whole file. Thread: any.
struct ConfigError {
  std::string file;
  Position at;
  std::string field;
  std::string text;

  // "file:line:col: field: text", without the parts that are unknown.
  std::string to_string() const;
};

// Something that is right but worth knowing; `sluice check` prints them. Thread: any.
struct ConfigNote {
  enum class Kind : uint8_t { DuplicateKey, DeprecatedField, UnknownField };
  Kind kind;
  ConfigError what;
};

// Everything that reading, validating and compiling found, in the order of discovery until sort(). Thread: any.
class Findings {
 public:
  // Of several errors about one field the first one is kept: the others are only consequences of it.
  void fail(ConfigError error);
  void note(ConfigNote note) { notes_.push_back(std::move(note)); }

  bool ok() const { return errors_.empty(); }
  const std::vector<ConfigError>& errors() const { return errors_; }
  const std::vector<ConfigNote>& notes() const { return notes_; }
  // Whether there is an error about the field `path` itself.
  bool failed_at(std::string_view path) const { return paths_.find(path) != paths_.end(); }
  // The same, or about a field inside of it.
  bool failed(std::string_view path) const;
  // By file, line and column, files in the order in which they were read.
  void sort();

 private:
  std::vector<ConfigError> errors_;
  std::vector<ConfigNote> notes_;
  std::set<std::string, std::less<>> paths_;
};

// "a, b or c", each in quotes, for texts about choices.
std::string one_of(const std::vector<std::string_view>& names);

}  // namespace sluice::config
