//! Which path does what.

use super::request::Method;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Page,
    PageFile,
    Health,
    Ready,
    Metrics,
    OpenApi,
    LogIn,
    LogOut,
    Status,
    Cameras,
    Camera,
    SetCamera,
    Prompts,
    SetPrompts,
    Thresholds,
    SetThreshold,
    Places,
    SetPlaces,
    Frame,
    Stream,
    Snapshot,
    Live,
    Events,
    Event,
    EventPicture,
    FrigateVersion,
    FrigateConfig,
    FrigateStats,
    FrigateLatest,
    FrigateEvents,
    FrigateEvent,
    FrigateSnapshot,
    FrigateReview,
    Hold,
    Example,
    Verdict,
    Search,
    Detect,
    Models,
    Embeddings,
    Configuration,
    Save,
}

/// Who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Whoever has a token, if tokens are asked for.
    Token,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Picture,
}

/// A path with what it does.
#[derive(Debug)]
pub(super) struct Route {
    pub method: Method,
    /// `{…}` stands for any part.
    pub path: &'static str,
    pub access: Access,
    /// Whether it hands out pictures.
    pub pictures: bool,
    /// Whether it changes what is looked for.
    pub changes: bool,
    /// Most bytes of a body.
    pub body: usize,
    pub kind: Kind,
    pub action: Action,
}

/// Most bytes of a body of JSON.
const JSON: usize = 64 * 1024;
/// The same where it may hold many places.
const PLACES: usize = 512 * 1024;
/// Most bytes of a picture, and of pictures in JSON.
const PICTURE: usize = 8 << 20;

const fn get(path: &'static str, action: Action) -> Route {
    let (method, access, kind) = (Method::Get, Access::Token, Kind::Json);
    Route { method, path, access, pictures: false, changes: false, body: 0, kind, action }
}

const fn open(path: &'static str, action: Action) -> Route {
    Route { access: Access::Open, ..get(path, action) }
}

const fn picture(path: &'static str, action: Action) -> Route {
    Route { pictures: true, ..get(path, action) }
}

const fn put(path: &'static str, body: usize, action: Action) -> Route {
    Route { method: Method::Put, changes: true, body, ..get(path, action) }
}

const fn post(path: &'static str, body: usize, action: Action) -> Route {
    Route { method: Method::Post, changes: true, body, ..get(path, action) }
}

/// What is sent to be answered, and changes nothing.
const fn ask(path: &'static str, body: usize, action: Action) -> Route {
    Route { changes: false, ..post(path, body, action) }
}

/// All of them. The first that fits counts.
pub(super) const ROUTES: &[Route] = &[
    open("/", Action::Page),
    open("/healthz", Action::Health),
    open("/readyz", Action::Ready),
    get("/metrics", Action::Metrics),
    get("/api/v1/openapi.json", Action::OpenApi),
    Route { access: Access::Open, ..ask("/api/v1/login", JSON, Action::LogIn) },
    Route { access: Access::Open, ..ask("/api/v1/logout", 0, Action::LogOut) },
    get("/api/v1/status", Action::Status),
    get("/api/v1/cameras", Action::Cameras),
    get("/api/v1/cameras/{camera}", Action::Camera),
    put("/api/v1/cameras/{camera}", JSON, Action::SetCamera),
    get("/api/v1/cameras/{camera}/places", Action::Places),
    put("/api/v1/cameras/{camera}/places", PLACES, Action::SetPlaces),
    picture("/api/v1/cameras/{camera}/frame.jpg", Action::Frame),
    picture("/api/v1/cameras/{camera}/stream.mjpeg", Action::Stream),
    picture("/api/v1/cameras/{camera}/snapshot.jpg", Action::Snapshot),
    Route { pictures: true, ..ask("/api/v1/cameras/{camera}/hold", 0, Action::Hold) },
    Route { pictures: true, ..post("/api/v1/cameras/{camera}/examples", JSON, Action::Example) },
    get("/api/v1/prompts", Action::Prompts),
    put("/api/v1/prompts", JSON, Action::SetPrompts),
    get("/api/v1/thresholds", Action::Thresholds),
    put("/api/v1/thresholds/{label}", JSON, Action::SetThreshold),
    get("/api/v1/live", Action::Live),
    get("/api/v1/events", Action::Events),
    get("/api/v1/events/{id}", Action::Event),
    picture("/api/v1/events/{id}/picture.jpg", Action::EventPicture),
    post("/api/v1/events/{id}/verdict", JSON, Action::Verdict),
    get("/api/v1/search", Action::Search),
    Route { kind: Kind::Picture, ..ask("/api/v1/detect", PICTURE, Action::Detect) },
    get("/api/v1/configuration", Action::Configuration),
    post("/api/v1/save", JSON, Action::Save),
    get("/v1/models", Action::Models),
    ask("/v1/embeddings", PICTURE, Action::Embeddings),
    get("/api/version", Action::FrigateVersion),
    get("/api/config", Action::FrigateConfig),
    get("/api/stats", Action::FrigateStats),
    get("/api/events", Action::FrigateEvents),
    get("/api/events/{id}", Action::FrigateEvent),
    picture("/api/events/{id}/snapshot.jpg", Action::FrigateSnapshot),
    picture("/api/events/{id}/thumbnail.jpg", Action::FrigateSnapshot),
    get("/api/review", Action::FrigateReview),
    picture("/api/{camera}/latest.jpg", Action::FrigateLatest),
    open("/{file}", Action::PageFile),
];

/// What a request finds.
pub(super) enum Found<'a> {
    /// A route, and the parts of the path that it leaves open.
    Route(&'static Route, Vec<&'a str>),
    /// The path is there; these are its methods.
    Methods(Vec<&'static str>),
    Nothing,
}

/// The route of a path.
pub(super) fn find(method: Method, path: &[String]) -> Found<'_> {
    let method = if method == Method::Head { Method::Get } else { method };
    let mut methods = Vec::new();
    for route in ROUTES {
        let Some(parts) = fits(route.path, path) else { continue };
        if route.method == method {
            return Found::Route(route, parts);
        }
        methods.push(route.method.name());
    }
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
}

fn fits<'a>(route: &str, path: &'a [String]) -> Option<Vec<&'a str>> {
    let wanted: Vec<&str> = route.trim_start_matches('/').split('/').collect();
    if wanted.len() != path.len() {
        return None;
    }
    let mut parts = Vec::new();
    for (wanted, part) in wanted.iter().zip(path) {
        if wanted.starts_with('{') && !part.is_empty() {
            parts.push(part.as_str());
        } else if *wanted != part {
            return None;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: Method, path: &str) -> String {
        let path: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        match find(method, &path) {
            Found::Route(route, parts) => format!("{:?} {}", route.action, parts.join(",")),
            Found::Methods(methods) => methods.join(","),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_actions() {
        assert_eq!(found(Method::Get, "/"), "Page ");
        assert_eq!(found(Method::Head, "/style.css"), "PageFile style.css");
        assert_eq!(found(Method::Get, "/api/v1/cameras/a b/frame.jpg"), "Frame a b");
        assert_eq!(found(Method::Put, "/api/v1/prompts"), "SetPrompts ");
        assert_eq!(found(Method::Delete, "/api/v1/prompts"), "GET,PUT");
        assert_eq!(found(Method::Get, "/api/events/1.5-abc/snapshot.jpg"), "FrigateSnapshot 1.5-abc");
        for path in ["/api/v1/cameras//places", "/api/v1/", "/healthz/", "/a/b", "/api/v1/cameras/a/../b"] {
            assert_eq!(found(Method::Get, path), "nothing", "{path}");
        }
    }

    #[test]
    fn no_two_routes_are_the_same() {
        for (at, route) in ROUTES.iter().enumerate() {
            let same = |other: &&Route| (other.method, other.path) == (route.method, route.path);
            assert_eq!(ROUTES.iter().position(|other| same(&other)), Some(at), "{}", route.path);
        }
    }

    /// The file that describes all routes describes these and no others.
    #[test]
    fn every_route_is_described() {
        let described: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let mut found = Vec::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for (method, about) in methods.as_object().unwrap() {
                let is_open = about["security"].as_array().is_some_and(Vec::is_empty);
                found.push((
                    path.clone(),
                    method.to_ascii_uppercase(),
                    is_open,
                    about["requestBody"].is_object(),
                ));
            }
        }
        let own = ROUTES.iter().map(|route| {
            (
                route.path.to_owned(),
                route.method.name().to_owned(),
                route.access == Access::Open,
                route.body > 0,
            )
        });
        let mut own: Vec<_> = own.collect();
        found.sort();
        own.sort();
        assert_eq!(found, own);
    }
}
