#include "model/custom_tag.h"

#include "format/json_text.h"

namespace sluice::model {

namespace {

// Whether it is there; what is empty is, too.
bool append_metadata(std::string& to, const CustomTag& tag, const format::Facts& facts) {
  const Metadata* from = facts.*tag.metadata;
  const Value* found = from == nullptr ? nullptr : from->find(tag.space, tag.path);
  if (found == nullptr) return false;
  if (const std::string* text = found->as_text()) {
    to += *text;
  } else {
    format::append_json(to, *found);
  }
  return true;
}

bool append_header(std::string& to, const CustomTag& tag, const format::Facts& facts) {
  const std::string_view value = facts.request == nullptr ? std::string_view() : facts.request->get(tag.header);
  to += value;
  return value.data() != nullptr;
}

}  // namespace

void append_value(std::string& to, const CustomTag& tag, const format::Facts& facts) {
  using From = CustomTag::From;
  bool found = false;
  switch (tag.from) {
    case From::kText:
      break;
    case From::kHeader:
      found = append_header(to, tag, facts);
      break;
    case From::kFormat: {
      const size_t before = to.size();
      tag.format->append(to, facts);
      found = to.size() > before;
      break;
    }
    case From::kMetadata:
      found = append_metadata(to, tag, facts);
      break;
  }
  if (!found) to += tag.text;
}

}  // namespace sluice::model
