// Compiler of access logs: which lines, in which format, to where.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <memory>
#include <string>

#include "config/compile_scope.h"
#include "envoy/config/accesslog/v3/accesslog.pb.h"
#include "model/access_log_plan.h"

namespace sluice::config {

// Null when the list is empty. Files are opened when the scope has log_files; one that cannot be opened is an error.
std::shared_ptr<model::AccessLogSet> compile_access_logs(
    const google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>& logs, CompileScope& scope);
// A file that gets every line in the default format; `proto` says where it stands.
model::AccessLogPlan compile_plain_log(const google::protobuf::Message& proto, std::string path, CompileScope& scope);

// Opened when the scope has log_files; null when only validating, where nothing is made. What cannot be opened is an
// error at `place`.
std::shared_ptr<event::AppendFile> open_log(const google::protobuf::Message& place, const std::string& path,
                                            CompileScope& scope);

// Also for the mappers of local replies. Null after an error.
std::shared_ptr<const model::AccessLogFilter> compile_access_log_filter(
    const envoy::config::accesslog::v3::AccessLogFilter& filter, CompileScope& scope);

}  // namespace sluice::config
