#include "filters/http/header_mutation/query_mutations.h"

#include <algorithm>

#include "base/percent.h"

namespace sluice::filters::header_mutation {
namespace {

bool stays(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '*';
}

std::string encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stays(c)) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

struct Parameter {
  std::string name;  // decoded
  std::string written_name, value;
};

// In the order of their names, each as it is written.
class Query {
 public:
  explicit Query(std::string_view text) {
    while (!text.empty()) {
      const std::string_view pair = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), pair.size() + 1));
      const size_t equals = std::min(pair.find('='), pair.size());
      const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
      add(percent_decoded(pair.substr(0, equals)), pair.substr(0, equals), value);
    }
  }

  void change(const QueryMutation& mutation, const format::Facts& facts) {
    using Kind = QueryMutation::Kind;
    const bool there =
        std::any_of(all_.begin(), all_.end(), [&](const auto& one) { return one.name == mutation.name; });
    if ((mutation.kind == Kind::kAddIfAbsent && there) || (mutation.kind == Kind::kOverwriteIfExists && !there)) return;
    std::string value;
    if (mutation.value) mutation.value->append(value, facts);
    if (mutation.kind != Kind::kAppend && mutation.kind != Kind::kAddIfAbsent) {
      std::erase_if(all_, [&](const auto& one) { return one.name == mutation.name; });
    }
    if (mutation.value) add(mutation.name, mutation.name, encoded(value));
  }

  std::string text() const {
    std::string out;
    for (const Parameter& one : all_) {
      out += out.empty() ? '?' : '&';
      out += one.written_name;
      out += '=';
      out += one.value;
    }
    return out;
  }

 private:
  void add(std::string name, std::string_view written_name, std::string_view value) {
    const auto at = std::upper_bound(all_.begin(), all_.end(), name,
                                     [](const std::string& wanted, const auto& one) { return wanted < one.name; });
    all_.insert(at, {std::move(name), std::string(written_name), std::string(value)});
  }

  std::vector<Parameter> all_;
};

}  // namespace

std::string_view QueryMutations::apply(std::string_view target, const format::Facts& facts, Arena& arena) const {
  const size_t mark = std::min(target.find('?'), target.size());
  Query query(target.substr(std::min(mark + 1, target.size())));
  for (const QueryMutation& mutation : list_) {
    query.change(mutation, facts);
  }
  return arena.copy(std::string(target.substr(0, mark)) + query.text());
}

}  // namespace sluice::filters::header_mutation
