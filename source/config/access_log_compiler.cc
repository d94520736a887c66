#include "config/access_log_compiler.h"

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "config/any.h"
#include "config/format_compiler.h"
#include "config/matcher_compiler.h"
#include "config/metadata_compiler.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb.h"
#include "envoy/extensions/access_loggers/filters/cel/v3/cel.pb.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb.h"
#include "format/response_flags.h"
#include "proxy/access_log/filters.h"
#include "proxy/access_log/log_files.h"

namespace sluice::config {
namespace {

namespace accesslog = envoy::config::accesslog::v3;
using envoy::extensions::access_loggers::file::v3::FileAccessLog;
using envoy::extensions::access_loggers::filters::cel::v3::ExpressionFilter;
using envoy::extensions::access_loggers::stream::v3::StderrAccessLog;
using envoy::extensions::access_loggers::stream::v3::StdoutAccessLog;
using proxy::Comparison;
using proxy::FilterPtr;
using proxy::Listed;

Comparison compile_comparison(const accesslog::ComparisonFilter& proto, CompileScope& scope) {
  Comparison out;
  switch (proto.op()) {
    case accesslog::ComparisonFilter::GE:
      out.op = Comparison::Op::kAtLeast;
      break;
    case accesslog::ComparisonFilter::LE:
      out.op = Comparison::Op::kAtMost;
      break;
    case accesslog::ComparisonFilter::NE:
      out.op = Comparison::Op::kNotEqual;
      break;
    default:
      out.op = Comparison::Op::kEqual;
      break;
  }
  out.bound = scope.runtime.live_number(proto.value().default_value(), proto.value().runtime_key());
  return out;
}

FilterPtr compile_runtime(const accesslog::RuntimeFilter& proto, CompileScope& scope) {
  using envoy::type::v3::FractionalPercent;
  model::Fraction share;
  share.numerator = proto.percent_sampled().numerator();
  share.denominator = proto.percent_sampled().denominator() == FractionalPercent::MILLION        ? 1'000'000
                      : proto.percent_sampled().denominator() == FractionalPercent::TEN_THOUSAND ? 10'000
                                                                                                 : 100;
  share.runtime_key = proto.runtime_key();
  using Randomness = proxy::RuntimeFilter::Randomness;
  return std::make_shared<proxy::RuntimeFilter>(
      scope.runtime.fraction(std::move(share)),
      proto.use_independent_randomness() ? Randomness::kIndependent : Randomness::kOfRequestId);
}

template <typename Filters>
std::vector<FilterPtr> compile_all(const Filters& filters, CompileScope& scope) {
  std::vector<FilterPtr> out;
  for (const accesslog::AccessLogFilter& filter : filters) out.push_back(compile_access_log_filter(filter, scope));
  return out;
}

FilterPtr compile_flags(const accesslog::ResponseFlagFilter& proto, CompileScope& scope) {
  format::Flags flags;
  for (int i = 0; i < proto.flags_size(); ++i) {
    if (const auto flag = format::flag_of(proto.flags(i))) {
      flags.set(*flag);
    } else {
      scope.error(proto, accesslog::ResponseFlagFilter::kFlagsFieldNumber,
                  cat("'", proto.flags(i), "' is no response flag"), i);
    }
  }
  return std::make_shared<proxy::ResponseFlagFilter>(flags);
}

Listed listed(bool exclude) { return exclude ? Listed::kAreExcluded : Listed::kPass; }

FilterPtr compile_grpc_status(const accesslog::GrpcStatusFilter& proto) {
  std::set<uint32_t> statuses;
  for (const int status : proto.statuses()) statuses.insert(static_cast<uint32_t>(status));
  return std::make_shared<proxy::GrpcStatusFilter>(std::move(statuses), listed(proto.exclude()));
}

FilterPtr compile_metadata_filter(const accesslog::MetadataFilter& proto, CompileScope& scope) {
  using IfMissing = proxy::MetadataFilter::IfMissing;
  const bool passes = !proto.has_match_if_key_not_found() || proto.match_if_key_not_found().value();
  std::optional<match::MetadataMatcher> matcher;
  if (proto.has_matcher()) matcher = compile_metadata_matcher(proto.matcher(), scope);
  return std::make_shared<proxy::MetadataFilter>(std::move(matcher), passes ? IfMissing::kPasses : IfMissing::kFails);
}

// The enum of the API has the order and the numbers of ours.
FilterPtr compile_log_type(const accesslog::LogTypeFilter& proto) {
  std::set<format::LogType> types;
  for (const int type : proto.types()) types.insert(static_cast<format::LogType>(type));
  return std::make_shared<proxy::LogTypeFilter>(std::move(types), listed(proto.exclude()));
}

FilterPtr compile_expression(const ExpressionFilter& proto, CompileScope& scope) {
  using Switches = envoy::config::core::v3::CelExpressionConfig;
  const Switches& switches = proto.cel_config();
  if (switches.enable_string_conversion()) scope.not_supported(switches, Switches::kEnableStringConversionFieldNumber);
  if (switches.enable_string_concat()) scope.not_supported(switches, Switches::kEnableStringConcatFieldNumber);
  if (switches.enable_string_functions()) scope.not_supported(switches, Switches::kEnableStringFunctionsFieldNumber);
  auto expression = cel::Expression::parse(proto.expression());
  if (expression) return std::make_shared<proxy::ExpressionFilter>(std::move(*expression));
  scope.error(proto, ExpressionFilter::kExpressionFieldNumber, expression.error());
  return nullptr;
}

FilterPtr compile_extension(const accesslog::ExtensionFilter& proto, CompileScope& scope) {
  if (!proto.has_typed_config()) {
    scope.error(proto,
                cat("the access log filter '", proto.name(), "' needs a typed_config: filters are found by its type"));
    return nullptr;
  }
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return nullptr;
  if (content->GetDescriptor() == ExpressionFilter::descriptor()) {
    return compile_expression(static_cast<const ExpressionFilter&>(*content), scope);
  }
  scope.error(proto.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
  return nullptr;
}

// What is logged and where it goes: a file, or a logger.
struct Target {
  std::string path = {};
  std::optional<format::Formatter> format = std::nullopt;
  std::shared_ptr<const model::AccessLoggerPlan> logger = nullptr;
};

std::optional<format::Formatter> default_format() {
  auto parsed = format::Formatter::parse(format::kDefaultFormat);
  return std::move(*parsed);
}

std::optional<format::Formatter> old_json(const FileAccessLog& proto, int field, const google::protobuf::Struct& json,
                                          CompileScope& scope) {
  auto parsed = format::Formatter::parse_json(to_json_node(json));
  if (parsed) return std::move(*parsed);
  scope.error(proto, field, parsed.error());
  return std::nullopt;
}

Target compile_file(const FileAccessLog& proto, CompileScope& scope) {
  switch (proto.access_log_format_case()) {
    case FileAccessLog::kFormat:
      if (proto.format().empty()) break;
      return {proto.path(), scope.formatter(proto, FileAccessLog::kFormatFieldNumber, proto.format(), {})};
    case FileAccessLog::kJsonFormat:
      return {proto.path(), old_json(proto, FileAccessLog::kJsonFormatFieldNumber, proto.json_format(), scope)};
    case FileAccessLog::kTypedJsonFormat:
      return {proto.path(),
              old_json(proto, FileAccessLog::kTypedJsonFormatFieldNumber, proto.typed_json_format(), scope)};
    case FileAccessLog::kLogFormat:
      return {proto.path(), compile_format(proto.log_format(), scope)};
    case FileAccessLog::ACCESS_LOG_FORMAT_NOT_SET:
      break;
  }
  return {proto.path(), default_format()};
}

template <typename Stream>
Target compile_stream(const Stream& proto, std::string path, CompileScope& scope) {
  return {std::move(path), proto.has_log_format() ? compile_format(proto.log_format(), scope) : default_format()};
}

bool is_known_logger(std::string_view type, const CompileScope& scope) {
  return type == FileAccessLog::descriptor()->full_name() || type == StdoutAccessLog::descriptor()->full_name() ||
         type == StderrAccessLog::descriptor()->full_name() || scope.extensions().access_logger(type) != nullptr;
}

// Neither a file nor a logger: there was an error, or it was passed over.
Target compile_target(const accesslog::AccessLog& proto, CompileScope& scope) {
  if (!proto.has_typed_config()) {
    scope.error(proto, cat("the access log '", proto.name(), "' needs a typed_config: loggers are found by its type"));
    return {};
  }
  if (scope.discovered && !is_known_logger(type_name(proto.typed_config().type_url()), scope)) {
    // No traffic depends on it: better no line than no listener.
    scope.pass_over(proto.typed_config(), cat("not supported yet: ", type_name(proto.typed_config().type_url())));
    return {};
  }
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return {};
  const auto* type = content->GetDescriptor();
  if (type == FileAccessLog::descriptor()) return compile_file(static_cast<const FileAccessLog&>(*content), scope);
  if (type == StdoutAccessLog::descriptor()) {
    return compile_stream(static_cast<const StdoutAccessLog&>(*content), "/dev/stdout", scope);
  }
  if (type == StderrAccessLog::descriptor()) {
    return compile_stream(static_cast<const StderrAccessLog&>(*content), "/dev/stderr", scope);
  }
  if (const AccessLoggerType* found = scope.extensions().access_logger(type->full_name())) {
    return {.logger = found->compile(*content, scope)};
  }
  const bool known = type->full_name().starts_with("envoy.extensions.access_loggers.");
  scope.error(proto.typed_config(), known ? cat("not supported yet: ", type->full_name())
                                          : cat(type->full_name(), " is not an access logger"));
  return {};
}

// Why no log can be written at `path`, as far as that is known without making the file; empty: nothing speaks against
// it.
std::string log_complaint(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path file(path);
  if (std::filesystem::is_directory(file, ignored)) return cat("cannot write '", path, "': Is a directory");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (std::filesystem::is_directory(folder, ignored)) return {};
  return cat("cannot write '", path, "': there is no directory '", folder.string(), "'");
}

}  // namespace

std::shared_ptr<event::AppendFile> open_log(const google::protobuf::Message& place, const std::string& path,
                                            CompileScope& scope) {
  if (scope.log_files == nullptr) {
    std::string wrong = log_complaint(path);
    if (!wrong.empty()) scope.error(place, std::move(wrong));
    return nullptr;
  }
  auto file = scope.log_files->open(path);
  if (file) return std::move(*file);
  scope.error(place, file.error());
  return nullptr;
}

FilterPtr compile_access_log_filter(const accesslog::AccessLogFilter& filter, CompileScope& scope) {
  using Kind = accesslog::AccessLogFilter;
  switch (filter.filter_specifier_case()) {
    case Kind::kStatusCodeFilter:
      return std::make_shared<proxy::StatusCodeFilter>(
          compile_comparison(filter.status_code_filter().comparison(), scope));
    case Kind::kDurationFilter:
      return std::make_shared<proxy::DurationFilter>(compile_comparison(filter.duration_filter().comparison(), scope));
    case Kind::kNotHealthCheckFilter:
      return std::make_shared<proxy::NotHealthCheckFilter>();
    case Kind::kTraceableFilter:
      return std::make_shared<proxy::TraceableFilter>();
    case Kind::kRuntimeFilter:
      return compile_runtime(filter.runtime_filter(), scope);
    case Kind::kAndFilter:
      return std::make_shared<proxy::AndFilter>(compile_all(filter.and_filter().filters(), scope));
    case Kind::kOrFilter:
      return std::make_shared<proxy::OrFilter>(compile_all(filter.or_filter().filters(), scope));
    case Kind::kHeaderFilter:
      return std::make_shared<proxy::HeaderFilter>(compile_header_matcher(filter.header_filter().header(), scope));
    case Kind::kResponseFlagFilter:
      return compile_flags(filter.response_flag_filter(), scope);
    case Kind::kGrpcStatusFilter:
      return compile_grpc_status(filter.grpc_status_filter());
    case Kind::kLogTypeFilter:
      return compile_log_type(filter.log_type_filter());
    case Kind::kMetadataFilter:
      return compile_metadata_filter(filter.metadata_filter(), scope);
    case Kind::kExtensionFilter:
      return compile_extension(filter.extension_filter(), scope);
    case Kind::FILTER_SPECIFIER_NOT_SET:
      break;
  }
  scope.error(filter, "an access log filter needs one of its kinds");
  return nullptr;
}

model::AccessLogPlan compile_plain_log(const google::protobuf::Message& proto, std::string path, CompileScope& scope) {
  model::AccessLogPlan plan{nullptr, default_format(), std::move(path), nullptr, nullptr, scope.origin(proto)};
  plan.file = open_log(proto, plan.path, scope);
  return plan;
}

std::shared_ptr<model::AccessLogSet> compile_access_logs(
    const google::protobuf::RepeatedPtrField<accesslog::AccessLog>& logs, CompileScope& scope) {
  if (logs.empty()) return nullptr;
  auto out = std::make_shared<model::AccessLogSet>();
  for (const accesslog::AccessLog& proto : logs) {
    FilterPtr filter = proto.has_filter() ? compile_access_log_filter(proto.filter(), scope) : nullptr;
    Target target = compile_target(proto, scope);
    if (!target.format && target.logger == nullptr) continue;
    model::AccessLogPlan& plan = out->logs.emplace_back();
    plan.filter = std::move(filter);
    plan.format = std::move(target.format);
    plan.path = std::move(target.path);
    plan.logger = std::move(target.logger);
    plan.origin = scope.origin(proto);
    if (plan.logger == nullptr) plan.file = open_log(proto, plan.path, scope);
  }
  return out;
}

}  // namespace sluice::config
