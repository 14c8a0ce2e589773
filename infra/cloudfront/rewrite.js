// Runs in CloudFront on every request, before the origin: the twin of infra/local/gateway/edge.py.
//
// Chargers append their identity to the path, API Gateway's WebSocket API refuses a path: /ocpp/{identity} becomes
// /live?cp={identity}. What the functions trust the CDN for never comes from the client: the identity, the origin
// secret, the viewer's address, the viewer's certificate.

// Slashes too many are common in what installers type.
var OCPP = /^\/+ocpp\/+(.*?)\/*$/;
var WEBSOCKET_STAGE = '/live';
// The deployment replaces this by true where the distribution has a trust store (infra/stack/edge.yaml).
var VIEWER_MTLS = false;

function handler(event) {
    var request = event.request;
    var subject = certificateSubject(request.headers);
    dropReserved(request.headers);
    request.headers['x-viewer-address'] = { value: event.viewer.ip };
    if (subject) {
        request.headers['x-viewer-certificate-subject'] = { value: subject };
    }
    var path = OCPP.exec(request.uri);
    if (!path) {
        return request;
    }
    var identity = lastSegment(path[1]);
    if (!identity) {
        return { statusCode: 404, statusDescription: 'Not Found' };
    }
    var query = withoutIdentity(request.querystring);
    query.cp = { value: identity };
    request.querystring = query;
    request.uri = WEBSOCKET_STAGE;
    return request;
}

// Of the client certificate that CloudFront has verified against the trust store. Where mutual TLS is on, CloudFront
// sets these headers itself on every request (present is 0 without a certificate); where it is off, a client could.
function certificateSubject(headers) {
    var present = headers['cloudfront-viewer-cert-present'];
    var subject = headers['cloudfront-viewer-cert-subject'];
    return VIEWER_MTLS && present && present.value === '1' && subject ? subject.value : '';
}

function dropReserved(headers) {
    Object.keys(headers).forEach(function (name) {
        if (name === 'x-origin-verify' || name.indexOf('x-viewer-') === 0 || name.indexOf('cloudfront-') === 0) {
            delete headers[name];
        }
    });
}

// Percent-encoded anew, so that it is one value however it was written: "A&cp=B" and "A+B" survive the query string.
// Empty when there is none, or when it is no UTF-8.
function lastSegment(path) {
    return encodeURIComponent(decoded(path.substring(path.lastIndexOf('/') + 1)));
}

function withoutIdentity(querystring) {
    var kept = {};
    Object.keys(querystring).forEach(function (name) {
        if (decoded(name) !== 'cp') {
            kept[name] = querystring[name];
        }
    });
    return kept;
}

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        return '';
    }
}
