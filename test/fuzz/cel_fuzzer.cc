// An expression of an access log filter: whatever the text, it is refused or has a value, and its opposite is not true
// as well.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "cel/expression.h"
#include "test/format/sample_facts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = sluice::cel::Expression::parse(text);
  if (!expression) {
    SLUICE_CHECK(!expression.error().empty());
    return 0;
  }
  sluice::format::SampleFacts sample;
  sample.request.fields.add("x-a", "one");
  sample.request.fields.add("x-a", "two");
  sluice::Metadata metadata;
  metadata.set("ns", "list", sluice::Value(sluice::Value::List{sluice::Value::number(1), sluice::Value("a")}));
  sample.facts.metadata = &metadata;
  // A line end closes a comment.
  const auto opposite = sluice::cel::Expression::parse(sluice::cat("!(", text, "\n)"));
  if (expression->holds(sample.facts) && opposite) SLUICE_CHECK(!opposite->holds(sample.facts));
  return 0;
}
