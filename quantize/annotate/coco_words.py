"""What captions call the classes of COCO's detectors: words that mean a class or a kind of it."""

WORDS = {
    "person": """man woman boy girl child kid baby toddler infant guy lady gentleman people player rider skier surfer skateboarder
        snowboarder biker cyclist bicyclist motorcyclist runner jogger swimmer dancer worker officer policeman fireman
        firefighter soldier student teenager teen adult male female driver pedestrian catcher batter pitcher umpire chef
        waiter waitress cowboy bride groom athlete musician performer singer guitarist friend mother father parent son
        daughter brother sister couple youth fan spectator tourist hiker climber fisherman baseball_player soccer_player
        tennis_player football_player""",
    "bicycle": "bike mountain_bike",
    "car": "automobile taxi cab suv sedan minivan van police_car race_car sports_car",
    "motorcycle": "motorbike moped dirt_bike scooter",
    "airplane": "plane aeroplane jet airliner aircraft jetliner biplane",
    "bus": "school_bus double_decker_bus city_bus",
    "train": "locomotive passenger_train subway_train tram",
    "truck": "pickup lorry fire_truck dump_truck garbage_truck tow_truck food_truck trailer",
    "boat": "ship canoe kayak sailboat raft ferry fishing_boat rowboat yacht",
    "traffic light": "stoplight stop_light traffic_signal",
    "fire hydrant": "hydrant",
    "bench": "park_bench",
    "bird": "seagull duck goose pigeon parrot owl swan eagle pelican penguin flamingo chicken rooster peacock hawk",
    "cat": "kitten kitty tabby",
    "dog": "puppy poodle terrier retriever golden_retriever greyhound labrador bulldog husky sheepdog dachshund collie corgi",
    "horse": "pony foal stallion mare colt",
    "sheep": "lamb ram ewe goat",
    "cow": "bull calf cattle ox steer",
    "bear": "polar_bear",
    "backpack": "rucksack knapsack",
    "handbag": "purse bag shoulder_bag",
    "tie": "necktie bow_tie",
    "suitcase": "luggage",
    "frisbee": "disc disk flying_disc flying_disk",
    "skis": "ski",
    "sports ball": "ball soccer_ball tennis_ball baseball basketball football volleyball beach_ball",
    "baseball bat": "bat",
    "baseball glove": "mitt glove",
    "surfboard": "surf_board board",
    "skateboard": "skate_board",
    "snowboard": "snow_board",
    "tennis racket": "racket racquet tennis_racquet",
    "bottle": "wine_bottle water_bottle",
    "wine glass": "glass",
    "cup": "mug coffee_cup tea_cup teacup coffee_mug",
    "donut": "doughnut",
    "hot dog": "hotdog",
    "cake": "cupcake birthday_cake wedding_cake",
    "chair": "armchair stool rocking_chair lawn_chair high_chair office_chair",
    "couch": "sofa loveseat",
    "potted plant": "plant houseplant",
    "dining table": "table coffee_table picnic_table",
    "tv": "television monitor screen",
    "laptop": "computer laptop_computer",
    "mouse": "computer_mouse",
    "remote": "remote_control controller",
    "keyboard": "computer_keyboard",
    "cell phone": "phone cellphone smartphone smart_phone telephone",
    "oven": "stove",
    "refrigerator": "fridge",
    "clock": "alarm_clock clock_tower",
    "teddy bear": "stuffed_bear stuffed_animal",
    "hair drier": "hair_dryer hairdryer",
}


def _classes_of() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, words in WORDS.items():
        for word in (w.replace("_", " ") for w in words.split()):
            found[word] = found.get(word, frozenset()) | {name}
    return found


CLASSES_OF = _classes_of()
"""Word → the classes that it may mean."""
