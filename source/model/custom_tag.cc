#include "model/custom_tag.h"

#include "format/json_text.h"

namespace sluice::model {

namespace {

void append_metadata(std::string& to, const CustomTag& tag, const format::Facts& facts) {
  const Metadata* from = facts.*tag.metadata;
  const Value* found = from == nullptr ? nullptr : from->find(tag.space, tag.path);
  if (found == nullptr) return;
  if (const std::string* text = found->as_text()) {
    to += *text;
  } else {
    format::append_json(to, *found);
  }
}

}  // namespace

void append_value(std::string& to, const CustomTag& tag, const format::Facts& facts) {
  using From = CustomTag::From;
  const size_t before = to.size();
  switch (tag.from) {
    case From::kText:
      break;
    case From::kHeader:
      if (facts.request != nullptr) to += facts.request->get(tag.header);
      break;
    case From::kFormat:
      tag.format->append(to, facts);
      break;
    case From::kMetadata:
      append_metadata(to, tag, facts);
      break;
  }
  if (to.size() == before) to += tag.text;
}

}  // namespace sluice::model
