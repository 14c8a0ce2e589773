// Runs in CloudFront on every request, before the origin: the twin of infra/local/gateway/edge.py.
//
// Chargers append their identity to the path, API Gateway's WebSocket API refuses a path: /ocpp/{identity} becomes
// /live?cp={identity}. What the functions trust the CDN for never comes from the client: the identity, the origin
// secret, the viewer's address, the viewer's certificate.

var OCPP = '/ocpp/';
var WEBSOCKET_STAGE = '/live';

function handler(event) {
    var request = event.request;
    dropReserved(request.headers);
    request.headers['x-viewer-address'] = { value: event.viewer.ip };
    if (request.uri.indexOf(OCPP) !== 0) {
        return request;
    }
    var identity = lastSegment(request.uri);
    if (!identity) {
        return { statusCode: 404, statusDescription: 'Not Found' };
    }
    var query = withoutIdentity(request.querystring);
    query.cp = { value: identity };
    request.querystring = query;
    request.uri = WEBSOCKET_STAGE;
    return request;
}

function dropReserved(headers) {
    Object.keys(headers).forEach(function (name) {
        if (name === 'x-origin-verify' || name === 'x-viewer-address' || name.indexOf('cloudfront-') === 0) {
            delete headers[name];
        }
    });
}

// Percent-encoded anew, so that it is one value however it was written: "A&cp=B" and "A+B" survive the query string.
// Empty when there is none, or when it is no UTF-8.
function lastSegment(uri) {
    return encodeURIComponent(decoded(uri.substring(uri.lastIndexOf('/') + 1)));
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
