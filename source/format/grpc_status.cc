#include "format/grpc_status.h"

#include "http/grpc.h"

namespace sluice::format {
namespace {

struct Names {
  std::string_view camel, snake;
};
constexpr Names kStatuses[] = {{"OK", "OK"},
                               {"Canceled", "CANCELLED"},
                               {"Unknown", "UNKNOWN"},
                               {"InvalidArgument", "INVALID_ARGUMENT"},
                               {"DeadlineExceeded", "DEADLINE_EXCEEDED"},
                               {"NotFound", "NOT_FOUND"},
                               {"AlreadyExists", "ALREADY_EXISTS"},
                               {"PermissionDenied", "PERMISSION_DENIED"},
                               {"ResourceExhausted", "RESOURCE_EXHAUSTED"},
                               {"FailedPrecondition", "FAILED_PRECONDITION"},
                               {"Aborted", "ABORTED"},
                               {"OutOfRange", "OUT_OF_RANGE"},
                               {"Unimplemented", "UNIMPLEMENTED"},
                               {"Internal", "INTERNAL"},
                               {"Unavailable", "UNAVAILABLE"},
                               {"DataLoss", "DATA_LOSS"},
                               {"Unauthenticated", "UNAUTHENTICATED"}};

std::optional<uint32_t> sent(const http::HeaderMap* fields) {
  return fields == nullptr ? std::nullopt : http::grpc_status_in(*fields);
}

std::optional<uint32_t> from_response(const Facts& facts) {
  if (const auto status = sent(facts.response_trailers)) {
    return status;
  }
  return sent(facts.response == nullptr ? nullptr : &facts.response->fields);
}

}  // namespace

uint32_t grpc_status_or_mapped(const Facts& facts) {
  const auto status = from_response(facts);
  return status ? *status : http::grpc_status_of(facts.response_code);
}

std::optional<uint32_t> grpc_status(const Facts& facts) {
  if (facts.request == nullptr || !http::is_grpc(facts.request->fields)) {
    return std::nullopt;
  }
  const auto status = from_response(facts);
  if (!status && facts.response_code == 0) {
    return std::nullopt;
  }
  return grpc_status_or_mapped(facts);
}

std::string_view camel_name_of(uint32_t grpc_status) {
  return grpc_status < std::size(kStatuses) ? kStatuses[grpc_status].camel : std::string_view();
}

std::string_view snake_name_of(uint32_t grpc_status) {
  return grpc_status < std::size(kStatuses) ? kStatuses[grpc_status].snake : std::string_view();
}

}  // namespace sluice::format
