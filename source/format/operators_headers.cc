// Operators about headers, trailers and the path.
#include <algorithm>

#include "base/percent.h"
#include "base/strings.h"
#include "format/forwarded_cert.h"
#include "format/grpc_status.h"
#include "format/operators.h"
#include "http/chars.h"
#include "http/grpc.h"

namespace sluice::format {
namespace {

bool is_name_letter(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
}

// X or X?Y: at most one alternative.
Result<void> prepare_names(std::string_view argument, Piece& piece) {
  if (argument.find_first_of("\n\r\0") != std::string_view::npos) {
    return Error{"a header name contains a newline"};
  }
  const auto parts = split(argument, '?');
  if (parts.size() > 2) {
    return Error{cat("more than one alternative header in \"", argument, "\"")};
  }
  for (std::string_view part : parts) {
    const std::string_view name = part.starts_with(':') ? part.substr(1) : part;
    if (!std::all_of(name.begin(), name.end(), is_name_letter)) {
      return Error{cat("\"", part, "\" is no header name")};
    }
  }
  piece.text = to_lower(parts[0]);
  piece.token = http::token_of(piece.text);
  if (parts.size() == 2) {
    piece.other = to_lower(parts[1]);
    piece.other_token = http::token_of(piece.other);
  }
  return {};
}

// Null data when absent. Of several lines the first. That a name has no token was found when the format was read.
std::string_view line(const http::HeaderMap& fields, std::string_view name, http::Token token) {
  const http::HeaderField* field = token == http::Token::kNone ? nullptr : fields.find(token);
  if (token == http::Token::kNone) {
    const auto* found = std::find_if(fields.begin(), fields.end(), [name](const http::HeaderField& one) {
      return one.token == http::Token::kNone && one.name() == name;
    });
    field = found == fields.end() ? nullptr : found;
  }
  return field == nullptr ? std::string_view()
                          : std::string_view(field->value_data == nullptr ? "" : field->value_data, field->value_size);
}

std::string_view request_line(const http::RequestHeaders& request, std::string_view name, http::Token token) {
  const bool pseudo = name.starts_with(':') || token == http::Token::kHost;
  return pseudo ? request.get(name) : line(request.fields, name, token);
}

std::string_view request_value(const Facts& facts, const Piece& piece) {
  if (facts.request == nullptr) {
    return {};
  }
  const std::string_view value = request_line(*facts.request, piece.text, piece.token);
  return value.data() != nullptr || piece.other.empty() ? value
                                                        : request_line(*facts.request, piece.other, piece.other_token);
}

bool put(std::string& to, std::string_view value) {
  to += value;
  return value.data() != nullptr;
}

bool request_header(std::string& to, const Facts& facts, const Piece& piece) {
  return put(to, request_value(facts, piece));
}

bool request_header_without_query(std::string& to, const Facts& facts, const Piece& piece) {
  const std::string_view value = request_value(facts, piece);
  return put(to, value.data() == nullptr ? value : value.substr(0, value.find('?')));
}

bool response_line(std::string& to, const http::ResponseHeaders& response, std::string_view name, http::Token token) {
  return name == ":status" ? put_number(to, response.status) : put(to, line(response.fields, name, token));
}

bool response_header(std::string& to, const Facts& facts, const Piece& piece) {
  return facts.response != nullptr &&
         (response_line(to, *facts.response, piece.text, piece.token) ||
          (!piece.other.empty() && response_line(to, *facts.response, piece.other, piece.other_token)));
}

bool response_trailer(std::string& to, const Facts& facts, const Piece& piece) {
  return facts.response_trailers != nullptr &&
         (put(to, line(*facts.response_trailers, piece.text, piece.token)) ||
          (!piece.other.empty() && put(to, line(*facts.response_trailers, piece.other, piece.other_token))));
}

// PATH(WQ|NQ:ORIG|PATH|ORIG_OR_PATH)
enum PathFrom : uint32_t { kOriginalOrPath, kOriginal, kPath };
enum PathQuery : uint32_t { kWithQuery, kWithoutQuery };

Result<void> prepare_path(std::string_view argument, Piece& piece) {
  const auto parts = split(argument, ':');
  const std::string_view query = parts[0];
  const std::string_view from = parts.size() > 1 ? parts[1] : "";
  if (!query.empty() && query != "WQ" && query != "NQ") {
    return Error{cat("\"", query, "\" is no option of PATH: WQ or NQ")};
  }
  if (!from.empty() && from != "ORIG" && from != "PATH" && from != "ORIG_OR_PATH") {
    return Error{cat("\"", from, "\" is no option of PATH: ORIG, PATH or ORIG_OR_PATH")};
  }
  piece.option = from == "ORIG" ? kOriginal : from == "PATH" ? kPath : kOriginalOrPath;
  piece.option_2 = query == "NQ" ? kWithoutQuery : kWithQuery;
  return {};
}

bool path(std::string& to, const Facts& facts, const Piece& piece) {
  if (facts.request == nullptr) {
    return false;
  }
  const http::HeaderField* original =
      piece.option == kPath ? nullptr : facts.request->fields.find(http::Token::kXEnvoyOriginalPath);
  std::string_view value = original != nullptr         ? original->value()
                           : piece.option == kOriginal ? std::string_view()
                                                       : facts.request->path;
  if (piece.option_2 == kWithoutQuery) {
    value = value.substr(0, value.find('?'));
  }
  return put_text(to, value);
}

// Of QUERY_PARAMS(DECODED): what a log or a header could not show, or not unambiguously, stays encoded. A percent sign
// with two characters behind it that are no digits goes.
void append_readable(std::string& to, std::string_view text) {
  constexpr std::string_view kEncoded = "\"<>\\^{|}";
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      to += text[i];
    } else if (const int high = http::hex_value(text[i + 1]), low = http::hex_value(text[i + 2]);
               high >= 0 && low >= 0) {
      const char c = static_cast<char>(high * 16 + low);
      const bool readable = c > ' ' && c < 0x7f && kEncoded.find(c) == std::string_view::npos;
      to += readable ? std::string_view(&c, 1) : text.substr(i, 3);
      i += 2;
    }
  }
}

// The name is compared decoded too; without escapes that needs no copy.
bool same_name(std::string_view encoded, std::string_view name) {
  if (encoded.find('%') == std::string_view::npos) {
    return encoded == name;
  }
  return percent_decoded(encoded) == name;
}

bool query_param(std::string& to, const Facts& facts, const Piece& piece) {
  const std::string_view whole = facts.request == nullptr ? std::string_view() : facts.request->path;
  const size_t mark = whole.find('?');
  if (mark == std::string_view::npos) {
    return false;
  }
  std::string_view rest = whole.substr(mark + 1, whole.find('#', mark) - mark - 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (same_name(pair.substr(0, equals), piece.text)) {
      append_percent_decoded(to, equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
      return true;
    }
  }
  return false;
}

Result<void> prepare_query_params(std::string_view argument, Piece& piece) {
  if (!argument.empty() && argument != "ORIG" && argument != "DECODED") {
    return Error{cat("\"", argument, "\" is no option of QUERY_PARAMS: ORIG or DECODED")};
  }
  piece.option = argument == "DECODED" ? 1 : 0;
  return {};
}

bool query_params(std::string& to, const Facts& facts, const Piece& piece) {
  const std::string_view whole = facts.request == nullptr ? std::string_view() : facts.request->path;
  const size_t mark = whole.find('?');
  if (mark == std::string_view::npos) {
    return false;
  }
  const std::string_view query = whole.substr(mark + 1, whole.find('#', mark) - mark - 1);
  if (piece.option == 1) {
    append_readable(to, query);
  } else {
    to += query;
  }
  return true;
}

Result<void> prepare_word(std::string_view argument, Piece& piece) {
  piece.text = argument;
  return {};
}

enum GrpcNames : uint32_t { kCamel, kSnake, kAsNumber };

Result<void> prepare_grpc_status(std::string_view argument, Piece& piece) {
  if (!argument.empty() && argument != "CAMEL_STRING" && argument != "SNAKE_STRING" && argument != "NUMBER") {
    return Error{cat("\"", argument, "\" is no option of GRPC_STATUS: CAMEL_STRING, SNAKE_STRING or NUMBER")};
  }
  piece.option = argument == "NUMBER" ? kAsNumber : argument == "SNAKE_STRING" ? kSnake : kCamel;
  return {};
}

Result<void> prepare_grpc_status_number(std::string_view, Piece& piece) {
  piece.option = kAsNumber;
  return {};
}

bool put_grpc_status(std::string& to, const Facts& facts, const Piece& piece) {
  const auto status = grpc_status(facts);
  if (!status) {
    return false;
  }
  const std::string_view name = piece.option == kCamel   ? camel_name_of(*status)
                                : piece.option == kSnake ? snake_name_of(*status)
                                                         : std::string_view();
  if (!name.empty()) return put_text(to, name);
  return *status == http::kGrpcNoNumber ? put_text(to, "-1") : put_number(to, *status);
}

bool grpc_status_json(std::string& to, const Facts& facts, const Piece& piece) {
  if (piece.option == kAsNumber) {
    return put_grpc_status(to, facts, piece);
  }
  to += '"';
  if (!put_grpc_status(to, facts, piece)) {
    to.pop_back();
    return false;
  }
  to += '"';
  return true;
}

Result<void> prepare_cert_key(std::string_view argument, Piece& piece) {
  if (!is_forwarded_cert_key(argument)) {
    return Error{cat("\"", argument, "\" is no key of x-forwarded-client-cert")};
  }
  piece.text = argument;
  piece.limit = Piece::kNoLimit;  // one may be given, and does nothing
  return {};
}

bool forwarded_cert(std::string& to, const Facts& facts, const Piece& piece) {
  const http::HeaderField* field =
      facts.request == nullptr ? nullptr : facts.request->fields.find(http::Token::kXForwardedClientCert);
  return field != nullptr && append_forwarded_cert(to, field->value(), piece.text);
}

// REQUESTED_SERVER_NAME(SNI_ONLY|SNI_FIRST|HOST_FIRST:ORIG)
enum ServerNameFrom : uint32_t { kSniOnly, kSniFirst, kHostFirst };

Result<void> prepare_server_name(std::string_view argument, Piece& piece) {
  const auto parts = split(argument, ':');
  if (!parts[0].empty() && parts[0] != "SNI_ONLY" && parts[0] != "SNI_FIRST" && parts[0] != "HOST_FIRST") {
    return Error{cat("\"", parts[0], "\" is no option of REQUESTED_SERVER_NAME: SNI_ONLY, SNI_FIRST or HOST_FIRST")};
  }
  piece.option = parts[0] == "SNI_FIRST" ? kSniFirst : parts[0] == "HOST_FIRST" ? kHostFirst : kSniOnly;
  piece.option_2 = parts.size() > 1 && parts[1] == "ORIG" ? 1 : 0;
  return {};
}

bool server_name(std::string& to, const Facts& facts, const Piece& piece) {
  const std::string_view host = piece.option == kSniOnly || facts.request == nullptr ? std::string_view()
                                : piece.option_2 == 1 ? facts.request->fields.get(http::Token::kXEnvoyOriginalHost)
                                                      : facts.request->authority;
  const bool host_first = piece.option == kHostFirst && !host.empty();
  return put_text(to, host_first || facts.requested_server_name.empty() ? host : facts.requested_server_name);
}

constexpr Operator kHeadersOperators[] = {
    {"GRPC_STATUS", kMayHaveArgument, kWhole, kText, put_grpc_status, prepare_grpc_status, grpc_status_json},
    {"GRPC_STATUS_NUMBER", kNoArgument, kWhole, kNumber, put_grpc_status, prepare_grpc_status_number},
    {"PATH", kMayHaveArgument, kCanBeCut, kText, path, prepare_path},
    {"QUERY_PARAM", kNeedsArgument, kCanBeCut, kText, query_param, prepare_word},
    {"QUERY_PARAMS", kMayHaveArgument, kCanBeCut, kText, query_params, prepare_query_params},
    {"REQ", kNeedsArgument, kCanBeCut, kText, request_header, prepare_names},
    {"REQUESTED_SERVER_NAME", kMayHaveArgument, kWhole, kText, server_name, prepare_server_name},
    {"REQ_WITHOUT_QUERY", kNeedsArgument, kCanBeCut, kText, request_header_without_query, prepare_names},
    {"REQUEST_HEADER", kNeedsArgument, kCanBeCut, kText, request_header, prepare_names},
    {"RESPONSE_HEADER", kNeedsArgument, kCanBeCut, kText, response_header, prepare_names},
    {"RESPONSE_TRAILER", kNeedsArgument, kCanBeCut, kText, response_trailer, prepare_names},
    {"RESP", kNeedsArgument, kCanBeCut, kText, response_header, prepare_names},
    {"TRAILER", kNeedsArgument, kCanBeCut, kText, response_trailer, prepare_names},
    {"XFCC_VALUE", kNeedsArgument, kCanBeCut, kText, forwarded_cert, prepare_cert_key},
};

}  // namespace

std::span<const Operator> header_operators() { return kHeadersOperators; }

}  // namespace sluice::format
