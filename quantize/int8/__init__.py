"""From float ONNX to int8 QDQ ONNX: calibration, equalisation, bias correction, sensitivity, mixed precision, fine-tuning."""
