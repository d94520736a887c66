#include "model/hash_policy.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/hash.h"
#include "base/strings.h"
#include "http/cookies.h"
#include "http/path.h"

namespace sluice::model {
namespace {

// Of all lines of that name: their values sorted, so that their order does not matter, each hashed with the hash of
// those before it.
std::optional<uint64_t> hash_header(const HashPolicy& policy, const http::RequestHeaders& request) {
  constexpr size_t kMost = 32;  // further lines do not count
  std::array<std::string_view, kMost> values;
  size_t count = 0;
  if (policy.name.starts_with(':') || policy.name == "host") {
    if (const std::string_view value = request.get(policy.name); value.data() != nullptr) {
      values[count++] = value;
    }
  } else {
    for (const http::HeaderField& field : request.fields) {
      if (field.name() == policy.name && count < kMost) {
        values[count++] = field.value();
      }
    }
  }
  if (count == 0) {
    return std::nullopt;
  }
  if (count == 1 && policy.rewrite == nullptr) {
    return xxhash64(values[0]);
  }
  std::array<std::string, kMost> rewritten;
  if (policy.rewrite != nullptr) {
    for (size_t i = 0; i < count; ++i) {
      rewritten[i] = values[i];
      (void)policy.rewrite->pattern.replace_all(rewritten[i], policy.rewrite->substitution);
      values[i] = rewritten[i];
    }
  }
  std::sort(values.begin(), values.begin() + static_cast<ptrdiff_t>(count));
  uint64_t hash = 0;
  for (size_t i = 0; i < count; ++i) {
    hash = xxhash64(values[i], hash);
  }
  return hash;
}

std::string hex(uint64_t value) {
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) {
    out[i] = "0123456789abcdef"[value & 15];
  }
  return out;
}

// A cookie that names the connection, so that the client comes back to the same host.
std::string make_cookie(const HashPolicy& policy, const HashInputs& inputs) {
  return hex(xxhash64(cat(inputs.connection_remote->to_string(), inputs.connection_local->to_string(), policy.name)));
}

std::optional<uint64_t> hash_cookie(const HashPolicy& policy, const http::RequestHeaders& request,
                                    const HashInputs& inputs, RequestHash& out) {
  const std::string_view found = http::find_cookie(request.fields, policy.name).value_or("");
  if (!found.empty()) {
    return xxhash64(found);
  }
  if (!policy.ttl) {
    return std::nullopt;
  }
  const std::string value = make_cookie(policy, inputs);
  std::string text = cat(policy.name, "=\"", value, "\"");
  if (policy.ttl->count() > 0) {
    append(text, "; Max-Age=", to_ms(*policy.ttl) / 1000);
  }
  if (!policy.path.empty()) {
    append(text, "; Path=", policy.path);
  }
  append(text, policy.attributes, "; HttpOnly");
  Arena& arena = request.fields.arena();
  MadeCookie** end = &out.cookies;
  while (*end != nullptr) {
    end = &(*end)->next;
  }
  *end = arena.create<MadeCookie>(MadeCookie{nullptr, arena.copy(text)});
  return xxhash64(value);
}

std::optional<uint64_t> hash_one(const HashPolicy& policy, const http::RequestHeaders& request,
                                 const HashInputs& inputs, RequestHash& out) {
  switch (policy.by) {
    case HashPolicy::By::kHeader:
      return hash_header(policy, request);
    case HashPolicy::By::kCookie:
      return hash_cookie(policy, request, inputs, out);
    case HashPolicy::By::kSourceIp:
      if (inputs.source == nullptr || !inputs.source->is_ip()) {
        return std::nullopt;
      }
      return xxhash64(inputs.source->ip_to_string());
    case HashPolicy::By::kQueryParameter: {
      const auto value = http::query_parameter(http::split_target(request.path).query, policy.name);
      return value ? std::optional(xxhash64(*value)) : std::nullopt;
    }
    case HashPolicy::By::kFilterState: {
      const auto* object = inputs.filter_state == nullptr ? nullptr : inputs.filter_state->find(policy.name);
      return object != nullptr && object->factory == "envoy.hashable_string" ? std::optional(xxhash64(object->text))
                                                                             : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

RequestHash hash_request(const std::vector<HashPolicy>& policies, const http::RequestHeaders& request,
                         const HashInputs& inputs) {
  RequestHash out;
  for (const HashPolicy& policy : policies) {
    if (const auto one = hash_one(policy, request, inputs, out)) {
      out.value = std::rotl(out.value.value_or(0), 1) ^ *one;
    }
    if (policy.terminal && out.value) {
      break;
    }
  }
  return out;
}

}  // namespace sluice::model
