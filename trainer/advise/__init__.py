"""Measured advice: does fine-tuning pay on these pictures, and what would more of them buy?"""
