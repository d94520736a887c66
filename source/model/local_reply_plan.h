// LocalReplyPlan: what a connection manager makes of the answers that the proxy gives itself (local_reply_config).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/local_reply
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/formatter.h"
#include "model/access_log_plan.h"
#include "model/header_rules.h"

namespace sluice::model {

// How a body is written; LOCAL_REPLY_BODY is what it was.
struct BodyFormat {
  format::Formatter text;
  std::string content_type;
};

// The first one whose filter lets the answer pass is applied. Thread: any (immutable).
struct LocalReplyMapper {
  std::shared_ptr<const AccessLogFilter> filter;
  uint16_t status = 0;               // 0: stays
  std::optional<std::string> body;   // as it stands, operators too
  std::optional<BodyFormat> format;  // instead of the plan's
  HeaderRules headers;
};

// Thread: any (immutable).
struct LocalReplyPlan {
  std::vector<LocalReplyMapper> mappers;
  std::optional<BodyFormat> format;
};

}  // namespace sluice::model
