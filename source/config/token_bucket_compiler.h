// TokenBucket of a local rate limit -> base/token_bucket.h.
#pragma once

#include <optional>

#include "base/token_bucket.h"
#include "config/compile_scope.h"
#include "envoy/type/v3/token_bucket.pb.h"

namespace sluice::config {

// Reports an interval of less than 50 ms.
TokenBucket::Plan compile_token_bucket(const envoy::type::v3::TokenBucket& proto, CompileScope& scope);
// The same, but for an interval of less than a millisecond: as in Envoy that is no limit, which is told.
std::optional<TokenBucket::Plan> compile_default_bucket(const envoy::type::v3::TokenBucket& proto, CompileScope& scope);

}  // namespace sluice::config
