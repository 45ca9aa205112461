// What the gateway says of the services behind it: GET /health/all and GET /services. registry.js is rendered from
// the same registry as the upstreams.
import registry from 'registry.js';

// An answer of the gateway takes hardly longer than this, whatever the services do.
const PATIENCE_MS = 1000;
const LARGEST_DOCUMENT = 65536;
// From best to worst.
const STATUSES = ['healthy', 'degraded', 'unhealthy'];
const VERSION = /^[0-9A-Za-z.+_-]{1,64}$/;

// GET `url`: its status, its text and what it took; status 0 for what did not come in time or is no HTTP answer.
// The deadline is for the whole answer: the time-outs of nginx begin anew with every byte. Redirects are not followed.
function ask(r, url) {
    const started = Date.now();
    let timer;
    const late = new Promise(resolve => {
        timer = setTimeout(() => resolve({status: 0}), PATIENCE_MS);
    });
    const headers = {'X-Request-Id': r.variables.gateway_request_id};
    const asked = ngx.fetch(url, {headers: headers, max_response_body_size: LARGEST_DOCUMENT})
        .then(answer => answer.text().then(text => ({status: answer.status, text: text})))
        .catch(() => ({status: 0}));
    return Promise.race([asked, late]).then(answer => {
        // A timer that is still set would keep the request open.
        clearTimeout(timer);
        return {status: answer.status, text: answer.text || '', ms: Date.now() - started};
    });
}

function parsed(text) {
    try {
        const document = JSON.parse(text);
        return document !== null && typeof document === 'object' ? document : {};
    } catch (error) {
        return {};
    }
}

// One of our own services has to say it, with the HTTP status that belongs to it. Another one has to answer.
function judged(service, answer) {
    if (!service.ours) {
        const answers = (answer.status >= 200 && answer.status < 300) || (answer.status >= 400 && answer.status < 500);
        return answers ? 'healthy' : 'unhealthy';
    }
    const said = parsed(answer.text).status;
    return answer.status === 200 && (said === 'healthy' || said === 'degraded') ? said : 'unhealthy';
}

// A service serves as long as one of its instances does; with one of them away it is degraded.
function combined(statuses) {
    const best = STATUSES.find(status => statuses.indexOf(status) >= 0);
    return best === 'healthy' && statuses.some(status => status !== 'healthy') ? 'degraded' : best;
}

function health(r, service) {
    return Promise.all(service.health.map(url => ask(r, url))).then(answers => ({
        status: combined(answers.map(answer => judged(service, answer))),
        required: service.required,
        responseTimeMs: Math.max.apply(null, answers.map(answer => answer.ms)),
    }));
}

// The version that an instance gives in its `info`, or null.
function version(r, service) {
    return Promise.all(service.info.map(url => ask(r, url))).then(answers => {
        const versions = answers.map(answer => (answer.status === 200 ? parsed(answer.text).version : null));
        const told = versions.find(text => typeof text === 'string' && VERSION.test(text));
        return told === undefined ? null : told;
    });
}

function overall(services) {
    const healthy = services.every(service => service.status === 'healthy');
    const serves = services.every(service => service.status !== 'unhealthy' || !service.required);
    return serves ? (healthy ? 'healthy' : 'degraded') : 'unhealthy';
}

function answer(r, status, document) {
    r.headersOut['Content-Type'] = 'application/json';
    r.headersOut['Cache-Control'] = 'no-store';
    if (status === 503) {
        r.headersOut['Retry-After'] = '5';
    }
    r.return(status, JSON.stringify(document));
}

async function healthAll(r) {
    const found = await Promise.all(registry.map(service => health(r, service)));
    const services = {};
    registry.forEach((service, index) => {
        services[service.name] = found[index];
    });
    const status = overall(found);
    const document = {status: status, timestamp: new Date().toISOString(), services: services};
    answer(r, status === 'unhealthy' ? 503 : 200, document);
}

async function services(r) {
    const found = await Promise.all(
        registry.map(service => Promise.all([health(r, service), version(r, service)])));
    const data = registry.map((service, index) => ({
        name: service.name,
        url: service.url,
        endpoints: service.endpoints,
        status: found[index][0].status,
        version: found[index][1],
    }));
    answer(r, 200, {data: data});
}

// Seconds after which somebody who could not be served is to come back. Told the same, all who were refused at one moment
// would come back at one moment. Where no instance was even asked, there are too many of them, and they are spread more.
function pause(r) {
    const wasAsked = /:\d/.test(r.variables.upstream_addr);
    return String(2 + Math.floor(Math.random() * (wasAsked ? 8 : 19)));
}

export default {healthAll, services, pause};
