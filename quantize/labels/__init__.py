"""Labels as people have them: COCO, YOLO, Pascal VOC, Label Studio, CVAT, folders of names, tables, texts of captions, shards."""
